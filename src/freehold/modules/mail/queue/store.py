"""All SQL of the queue's work: lanes, claims and what settles them (see `states`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.queue.states import LEASE_MS
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Row, Transaction

MAX_RECIPIENTS_PER_CLAIM = 100
"""Recipients of one message handled in one SMTP transaction (RFC 5321 §4.5.3.1.8)."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What one connection can serve: a transport and, for SMTP, a destination domain."""

    transport: Transport
    destination: str


@dataclass(frozen=True, slots=True)
class ClaimedRecipient:
    """One leased recipient."""

    id: int
    recipient: str
    original_recipient: str
    attempts: int
    expires_ms: int
    warned: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """One message of a lane with the recipients that were leased together."""

    queue_id: int
    trace_id: int
    blob_id: int
    skip_bytes: int
    size_bytes: int
    reverse_path: str
    is_utf8: bool
    is_8bit: bool
    created_ms: int
    recipients: tuple[ClaimedRecipient, ...]


async def due_lanes(tx: Transaction, *, now_ms: int, most: int) -> list[tuple[Lane, int]]:
    """Return lanes with something due, those that wait longest first, and how many recipients wait."""
    rows = await tx.fetch(
        "SELECT transport, destination, COUNT(*) FROM queue_recipient"
        " WHERE state = 'ready' AND due_ms <= ? AND lease_ms <= ?"
        " GROUP BY transport, destination ORDER BY MIN(due_ms) LIMIT ?",
        now_ms,
        now_ms,
        most,
    )
    return [(Lane(Transport(transport), destination), count) for transport, destination, count in rows]


async def next_due_ms(tx: Transaction, *, now_ms: int) -> int | None:
    """Return when something will be due next, or None when the queue is empty or held."""
    row = await tx.fetch_one(
        "SELECT MIN(CASE WHEN lease_ms > ? THEN lease_ms ELSE due_ms END) FROM queue_recipient"
        " WHERE state = 'ready'",
        now_ms,
    )
    return None if row is None or row[0] is None else int(row[0])


async def claim_message(tx: Transaction, lane: Lane, *, host: int, now_ms: int) -> Claim | None:
    """Lease the longest-waiting message of a lane with its due recipients there; None: nothing is due."""
    first = await tx.fetch_one(
        "SELECT queue_id FROM queue_recipient WHERE state = 'ready' AND transport = ? AND destination = ?"
        " AND due_ms <= ? AND lease_ms <= ? ORDER BY due_ms, id LIMIT 1",
        lane.transport.value,
        lane.destination,
        now_ms,
        now_ms,
    )
    if first is None:
        return None
    rows = await tx.fetch(
        "UPDATE queue_recipient SET lease_ms = ?, lease_by = ? WHERE id IN ("
        "SELECT id FROM queue_recipient WHERE queue_id = ? AND transport = ? AND destination = ?"
        " AND state = 'ready' AND due_ms <= ? AND lease_ms <= ? ORDER BY id LIMIT ?)"
        " AND state = 'ready' AND lease_ms <= ?"
        " RETURNING id, recipient, original_recipient, attempts, expires_ms, warned",
        now_ms + LEASE_MS,
        host,
        first[0],
        lane.transport.value,
        lane.destination,
        now_ms,
        now_ms,
        1 if lane.transport is not Transport.SMTP else MAX_RECIPIENTS_PER_CLAIM,
        now_ms,
    )
    message = await tx.fetch_one(
        "SELECT id, trace_id, blob_id, skip_bytes, size_bytes, reverse_path, is_utf8, is_8bit, created_ms"
        " FROM queue_message WHERE id = ?",
        first[0],
    )
    if message is None or not rows:
        return None
    return _claim(message, sorted(rows))


def _claim(message: Row, recipients: Sequence[Row]) -> Claim:
    queue_id, trace_id, blob_id, skip_bytes, size_bytes, reverse_path, is_utf8, is_8bit, created_ms = message
    return Claim(
        queue_id=queue_id,
        trace_id=trace_id,
        blob_id=blob_id,
        skip_bytes=skip_bytes,
        size_bytes=size_bytes,
        reverse_path=reverse_path,
        is_utf8=bool(is_utf8),
        is_8bit=bool(is_8bit),
        created_ms=created_ms,
        recipients=tuple(
            ClaimedRecipient(recipient_id, recipient, original, attempts, expires_ms, bool(warned))
            for recipient_id, recipient, original, attempts, expires_ms, warned in recipients
        ),
    )


async def end_leases(tx: Transaction, *, host: int) -> None:
    """End every lease of this host: its queue runner has just started and has none."""
    await tx.execute(
        "UPDATE queue_recipient SET lease_ms = 0, lease_by = 0 WHERE lease_by = ? AND lease_ms > 0", host
    )


async def is_leased(tx: Transaction, recipient_id: int, *, host: int) -> bool:
    """Return whether this host still has a recipient (a person may have removed or held it)."""
    row = await tx.fetch_one(
        "SELECT id FROM queue_recipient WHERE id = ? AND lease_by = ? AND lease_ms > 0", recipient_id, host
    )
    return row is not None


async def postpone(
    tx: Transaction, recipient_ids: Sequence[int], *, due_ms: int, error: str, now_ms: int
) -> None:
    """Put leased recipients back to wait until `due_ms`, one attempt older."""
    await tx.execute_many(
        "UPDATE queue_recipient SET attempts = attempts + 1, due_ms = ?, lease_ms = 0, lease_by = 0,"
        " last_error = ?, last_ms = ? WHERE id = ?",
        [(due_ms, error, now_ms, recipient_id) for recipient_id in recipient_ids],
    )


async def mark_warned(tx: Transaction, recipient_ids: Sequence[int]) -> None:
    """Remember that the sender was told of the delay."""
    await tx.execute_many(
        "UPDATE queue_recipient SET warned = TRUE WHERE id = ?", [(each,) for each in recipient_ids]
    )


async def remove_recipients(
    tx: Transaction, blobs: BlobStore, queue_id: int, recipient_ids: Sequence[int]
) -> None:
    """Remove recipients; with the last one the message row and its blob reference go."""
    await tx.execute_many("DELETE FROM queue_recipient WHERE id = ?", [(each,) for each in recipient_ids])
    row = await tx.fetch_one(
        "DELETE FROM queue_message WHERE id = ? AND NOT EXISTS"
        " (SELECT 1 FROM queue_recipient WHERE queue_id = ?) RETURNING blob_id",
        queue_id,
        queue_id,
    )
    if row is not None:
        await blobs.release(tx, row[0])
