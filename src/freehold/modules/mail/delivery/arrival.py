"""From a received message to what folders, queue and trace keep of it."""

import asyncio
import re

import msgspec

from freehold.modules.mail.delivery.accept import Received
from freehold.modules.mail.delivery.enqueue import QueuedMessage
from freehold.modules.mail.folders.append import NewMessage
from freehold.modules.mail.trace import Trace
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.header import message_id
from freehold.protocols.mime.imap_structure import bodystructure, envelope
from freehold.protocols.mime.structure import scan
from freehold.storage.blobs import PreparedBlob

THREAD_FROM_BYTES = 512 * 1024
"""Messages from this size on are examined on a thread, not in the loop."""

_RECEIVED = re.compile(rb"^received:", re.IGNORECASE | re.MULTILINE)
_SEARCHED_BYTES = 256 * 1024


class Arrival(msgspec.Struct, frozen=True):
    """What the session knows of a message besides its bytes.

    `skip_bytes` is the length of the Return-Path line that we put at its head.
    """

    trace_id: int
    blob_id: int
    now_ms: int
    expires_ms: int
    reverse_path: str
    client: str
    skip_bytes: int
    mailbox_id: int | None
    is_utf8: bool
    is_8bit: bool


class Examination(msgspec.Struct, frozen=True):
    """What the bytes themselves say."""

    envelope: bytes
    body_structure: bytes
    message_id: str
    received_count: int
    added_octets: int


async def examine(blob: PreparedBlob) -> Examination:
    """Return the summary of a message, computed once for all who will read it."""
    if blob.size < THREAD_FROM_BYTES:
        return _examine(blob)
    return await asyncio.to_thread(_examine, blob)


def _examine(blob: PreparedBlob) -> Examination:
    with blob.view() as buffer:
        part = scan(buffer)
        return Examination(
            envelope(buffer),
            bodystructure(buffer, part),
            _text(message_id(buffer, 0, part.header_end)),
            count_received(buffer, part.header_end),
            # Reception has refused every other line end, but BDAT may leave the last line unended.
            added_octets=0 if buffer[-1:] == b"\n" else len(b"\r\n"),
        )


def _text(value: bytes | None) -> str:
    """Return a header's bytes as text that every database keeps."""
    return "" if value is None else value.decode("utf-8", "replace").replace("\0", "")


def count_received(buffer: Buffer, header_end: int) -> int:
    """Return how many Received fields a header has, to find loops (RFC 5321 §6.3)."""
    return len(_RECEIVED.findall(buffer[: min(header_end, _SEARCHED_BYTES)]))


def describe(arrival: Arrival, blob: PreparedBlob, found: Examination) -> Received:
    """Return all that the accepting transaction stores."""
    return Received(
        blob=blob,
        message=NewMessage(
            blob_id=arrival.blob_id,
            size_bytes=blob.size,
            envelope=found.envelope,
            body_structure=found.body_structure,
            internal_ms=arrival.now_ms,
            added_octets=found.added_octets,
        ),
        queued=QueuedMessage(
            trace_id=arrival.trace_id,
            blob_id=arrival.blob_id,
            skip_bytes=arrival.skip_bytes,
            size_bytes=blob.size - arrival.skip_bytes,
            reverse_path=arrival.reverse_path,
            mailbox_id=arrival.mailbox_id,
            is_utf8=arrival.is_utf8,
            is_8bit=arrival.is_8bit,
        ),
        trace=Trace(
            id=arrival.trace_id,
            received_ms=arrival.now_ms,
            reverse_path=arrival.reverse_path,
            client=arrival.client,
            size_bytes=blob.size,
            message_id=found.message_id,
        ),
        expires_ms=arrival.expires_ms,
    )
