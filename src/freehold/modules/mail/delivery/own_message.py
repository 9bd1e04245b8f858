"""Messages that the server itself writes: reports and notices."""

from freehold.modules.mail.delivery.accept import Received
from freehold.modules.mail.delivery.arrival import Arrival, describe, examine
from freehold.storage.blobs import BlobStore
from freehold.storage.ids import IdMaker

RETURN_PATH = b"Return-Path: <>\r\n"
"""Nothing that becomes of such a message is reported in turn (RFC 5321 §4.5.5)."""
LIFETIME_MS = 5 * 24 * 3600 * 1000
"""How long its delivery is tried."""


async def receive_own(
    blobs: BlobStore, ids: IdMaker, text: bytes, *, client: str, is_utf8: bool, now_ms: int
) -> Received:
    """Prepare a message for the transaction that stores it; its trace names `client` as where it came from.

    `is_utf8` says that a header or an address is beyond ASCII (RFC 6531 §3.6).

    Raises:
        StorageError: the message cannot be written now.
    """
    blob = await blobs.prepare(RETURN_PATH + text)
    arrival = Arrival(
        trace_id=ids.next(),
        blob_id=ids.next(),
        now_ms=now_ms,
        expires_ms=now_ms + LIFETIME_MS,
        reverse_path="",
        client=client,
        skip_bytes=len(RETURN_PATH),
        mailbox_id=None,
        is_utf8=is_utf8,
        is_8bit=not text.isascii(),
    )
    return describe(arrival, blob, await examine(blob))
