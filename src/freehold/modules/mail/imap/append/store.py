"""The one transaction of an APPEND or REPLACE: all messages come, and what is replaced goes, or nothing."""

from dataclasses import dataclass

from msgspec import structs

from freehold.errors import NotFoundError
from freehold.modules.mail.folders.access import Access, check_rights, rights_now
from freehold.modules.mail.folders.append import Appended, NewMessage, append_message, insert_content
from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.expunge import Expunged, expunge_messages
from freehold.modules.mail.folders.quota import check_owner
from freehold.modules.mail.folders.rights import ALL_RIGHTS, Right, permitted_flags
from freehold.modules.mail.folders.seen import Reading, mark_seen
from freehold.modules.mail.model import Flag
from freehold.storage.blobs import BlobStore, PreparedBlob
from freehold.storage.database import Transaction

REPLACES = Right.DELETE | Right.EXPUNGE
"""The rights that it takes to replace a message (RFC 8508 §4.1)."""


class ReplacedMissingError(NotFoundError):
    """The message that REPLACE names is not there (any more)."""

    public = "the message to be replaced does not exist"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message whose octets are all here."""

    blob: PreparedBlob
    message: NewMessage
    is_seen_by_reader: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The message that a new one replaces, how large it is, and who replaces it (0: the folder's owner)."""

    mailbox_id: int
    folder_id: int
    reader_id: int
    uid: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Where messages went, and what went for them."""

    places: list[Appended]
    expunged: Expunged | None


def permitted(arrived: Arrived, target: Access) -> Arrived:
    r"""Return a message with the flags only that the person may set (RFC 4314 §4); a reader's \Seen apart."""
    if not target.reader_id and target.rights == ALL_RIGHTS:
        return arrived
    message = arrived.message
    flags = message.flags & permitted_flags(target.rights)
    keywords = message.keywords if Right.WRITE in target.rights else ""
    if not target.reader_id:
        return Arrived(arrived.blob, structs.replace(message, flags=flags, keywords=keywords))
    message = structs.replace(message, flags=flags & ~Flag.SEEN, keywords=keywords)
    return Arrived(arrived.blob, message, bool(flags & Flag.SEEN))


async def store_messages(
    tx: Transaction,
    blobs: BlobStore,
    target: Access,
    arrived: list[Arrived],
    *,
    outgoing: Outgoing | None = None,
    now_ms: int,
) -> Stored:
    """Store messages in a folder, and remove the one they replace.

    Raises:
        QuotaExceededError: the mailbox, or its owner, would hold more than allowed.
        ReplacedMissingError: the message to be replaced is gone.
        FolderNotFoundError: a folder was removed, or is shared no longer.
        RightMissingError: the person may no longer insert messages, or no longer expunge what is replaced.
    """
    mailbox_id, folder_id = target.mailbox_id, target.folder.id
    if target.reader_id:
        check_rights(await rights_now(tx, folder_id, mailbox_id, target.reader_id), Right.INSERT)
    expunged = None if outgoing is None else await _remove(tx, blobs, outgoing, now_ms=now_ms)
    places = []
    for each in arrived:
        await insert_content(tx, blobs, each.blob, each.message, references=1)
        places.append(
            await append_message(tx, mailbox_id, folder_id, each.message, now_ms=now_ms, check_quota=True)
        )
    await check_owner(tx, mailbox_id)
    seen = [place.uid for place, each in zip(places, arrived, strict=True) if each.is_seen_by_reader]
    if seen:
        await mark_seen(tx, Reading(target.reader_id, mailbox_id, folder_id), uid_ranges(seen), seen=True)
    return Stored(places, expunged)


async def _remove(tx: Transaction, blobs: BlobStore, outgoing: Outgoing, *, now_ms: int) -> Expunged:
    """Remove the replaced message first, so that the quota counts the difference (RFC 8508 §3.4)."""
    mailbox_id, folder_id, reader_id = outgoing.mailbox_id, outgoing.folder_id, outgoing.reader_id
    if reader_id:
        check_rights(await rights_now(tx, folder_id, mailbox_id, reader_id), REPLACES)
    expunged = await expunge_messages(
        tx,
        blobs,
        (mailbox_id, folder_id),
        [(outgoing.uid, outgoing.uid)],
        now_ms=now_ms,
        only_deleted=False,
    )
    if not expunged.modseq:
        raise ReplacedMissingError
    return expunged
