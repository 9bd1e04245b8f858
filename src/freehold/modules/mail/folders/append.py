"""Put a message into a folder."""

import msgspec

from freehold.modules.mail.errors import FolderFullError, FolderNotFoundError, QuotaExceededError
from freehold.modules.mail.model import MAX_UID, Flag, Uid, message_id
from freehold.storage.blobs import BlobStore, PreparedBlob
from freehold.storage.database import Transaction


class NewMessage(msgspec.Struct, frozen=True):
    """What a folder keeps of a message. Its bytes are stored by `insert_content`.

    `envelope` and `body_structure` are ready-made IMAP bytes; `keywords` are sorted and
    space-separated. `added_octets` is what POP3 adds so that every line ends in CRLF.
    """

    blob_id: int
    size_bytes: int
    envelope: bytes
    body_structure: bytes
    internal_ms: int
    flags: int = 0
    keywords: str = ""
    added_octets: int = 0


class Appended(msgspec.Struct, frozen=True):
    """Where a message went."""

    folder_id: int
    uid: Uid
    uid_validity: int
    modseq: int


async def insert_content(
    tx: Transaction, blobs: BlobStore, blob: PreparedBlob, message: NewMessage, *, references: int
) -> None:
    """Store a message's bytes and what IMAP tells of them, for `references` folders and queues."""
    await blobs.insert(tx, blob, blob_id=message.blob_id, references=references)
    await tx.execute(
        "INSERT INTO message_summary (blob_id, envelope, body_structure) VALUES (?, ?, ?)",
        message.blob_id,
        message.envelope,
        message.body_structure,
    )
    if message.added_octets:
        await tx.execute(
            "INSERT INTO message_growth (blob_id, added_octets) VALUES (?, ?)",
            message.blob_id,
            message.added_octets,
        )


async def append_message(
    tx: Transaction,
    mailbox_id: int,
    folder_id: int,
    message: NewMessage,
    *,
    now_ms: int,
    check_quota: bool,
) -> Appended:
    """Add a message, whose content is stored in the same transaction, to a folder.

    Raises:
        QuotaExceededError: `check_quota` and the mailbox would hold more than it may; what its owner may
            hold in all is for `quota.check_owner`, once behind all of a transaction's messages.
        FolderNotFoundError: the mailbox or folder has been removed.
        FolderFullError: the folder has used up its UIDs.
    """
    modseq = await _charge_mailbox(tx, mailbox_id, message.size_bytes, check_quota=check_quota)
    unseen = 0 if message.flags & Flag.SEEN else 1
    row = await tx.fetch_one(
        "UPDATE folder SET uid_next = uid_next + 1, modseq = ?, message_count = message_count + 1,"
        " unseen_count = unseen_count + ?, size_bytes = size_bytes + ?"
        " WHERE id = ? AND mailbox_id = ? AND is_selectable RETURNING uid_next, uid_validity",
        modseq,
        unseen,
        message.size_bytes,
        folder_id,
        mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError
    uid = Uid(row[0] - 1)
    if uid > MAX_UID - 1:
        raise FolderFullError
    await _insert(tx, mailbox_id, message_id(folder_id, uid), message, modseq=modseq, now_ms=now_ms)
    return Appended(folder_id, uid, row[1], modseq)


async def _charge_mailbox(tx: Transaction, mailbox_id: int, size_bytes: int, *, check_quota: bool) -> int:
    row = await tx.fetch_one(
        "UPDATE mailbox SET modseq = modseq + 1, used_bytes = used_bytes + ?, message_count ="
        " message_count + 1"
        " WHERE id = ? RETURNING modseq, used_bytes, quota_bytes",
        size_bytes,
        mailbox_id,
    )
    if row is None:
        raise FolderNotFoundError
    modseq, used_bytes, quota_bytes = row
    if check_quota and quota_bytes is not None and used_bytes > quota_bytes:
        raise QuotaExceededError
    return int(modseq)


async def _insert(
    tx: Transaction, mailbox_id: int, row_id: int, message: NewMessage, *, modseq: int, now_ms: int
) -> None:
    await tx.execute(
        "INSERT INTO message (id, mailbox_id, blob_id, modseq, flags, keywords, internal_ms, saved_ms,"
        " size_bytes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row_id,
        mailbox_id,
        message.blob_id,
        modseq,
        message.flags,
        message.keywords,
        message.internal_ms,
        now_ms,
        message.size_bytes,
    )
