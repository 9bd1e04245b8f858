"""Put a message into the queue, within the transaction that accepts it."""

from collections.abc import Sequence
from enum import Enum

import msgspec

from freehold.storage.database import Transaction
from freehold.storage.ids import IdMaker


class Transport(Enum):
    """How a queued recipient is reached (the words of `queue_recipient.transport`)."""

    SMTP = "smtp"
    MAILDIR = "maildir"
    MBOX = "mbox"
    PROGRAM = "program"


class QueuedMessage(msgspec.Struct, frozen=True):
    """One message of the queue. `skip_bytes` is the length of our own Return-Path line at the blob's head.

    The blob is inserted, with one reference for the queue, by the caller.
    """

    trace_id: int
    blob_id: int
    skip_bytes: int
    size_bytes: int
    reverse_path: str
    mailbox_id: int | None = None
    is_utf8: bool = False
    is_8bit: bool = False


class QueuedRecipient(msgspec.Struct, frozen=True):
    """One recipient: for SMTP an address and its domain, else a path or a command."""

    transport: Transport
    recipient: str
    original_recipient: str
    destination: str = ""


_INSERT_RECIPIENT = (
    "INSERT INTO queue_recipient (id, queue_id, transport, destination, recipient, original_recipient,"
    " state, attempts, due_ms, lease_ms, lease_by, expires_ms, warned, last_error, last_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, 'ready', 0, ?, 0, 0, ?, FALSE, '', 0)"
)


async def enqueue(
    tx: Transaction,
    ids: IdMaker,
    message: QueuedMessage,
    recipients: Sequence[QueuedRecipient],
    *,
    now_ms: int,
    expires_ms: int,
) -> int:
    """Queue `message` for `recipients`, due at once; returns the queue id."""
    queue_id = ids.next()
    await _insert_message(tx, queue_id, message, now_ms)
    await tx.execute_many(
        _INSERT_RECIPIENT,
        [
            (
                ids.next(),
                queue_id,
                each.transport.value,
                each.destination,
                each.recipient,
                each.original_recipient,
                now_ms,
                expires_ms,
            )
            for each in recipients
        ],
    )
    return queue_id


async def _insert_message(tx: Transaction, queue_id: int, message: QueuedMessage, now_ms: int) -> None:
    await tx.execute(
        "INSERT INTO queue_message (id, trace_id, blob_id, skip_bytes, size_bytes, reverse_path, mailbox_id,"
        " is_utf8, is_8bit, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        queue_id,
        message.trace_id,
        message.blob_id,
        message.skip_bytes,
        message.size_bytes,
        message.reverse_path,
        message.mailbox_id,
        message.is_utf8,
        message.is_8bit,
        now_ms,
    )
