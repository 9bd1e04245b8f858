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
class Lease:
    """What marks the rows of one claim: the host that has them, and until when.

    A row whose lease is another one has been claimed again since, so an old claim has no say in it.
    """

    host: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One message of a lane with the recipients that were leased together."""

    transport: Transport
    queue_id: int
    trace_id: int
    blob_id: int
    skip_bytes: int
    size_bytes: int
    reverse_path: str
    is_utf8: bool
    is_8bit: bool
    created_ms: int
    lease: Lease
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
    """Return when something that is not due now will be, or None."""
    row = await tx.fetch_one(
        "SELECT MIN(CASE WHEN lease_ms > due_ms THEN lease_ms ELSE due_ms END) FROM queue_recipient"
        " WHERE state = 'ready' AND (due_ms > ? OR lease_ms > ?)",
        now_ms,
        now_ms,
    )
    return None if row is None or row[0] is None else int(row[0])


async def claim_message(tx: Transaction, lane: Lane, *, host: int, now_ms: int) -> Claim | None:
    """Lease the longest-waiting message of a lane with its due recipients there; None: nothing is due.

    The second statement hides `state` from the index of lanes, which would walk the whole destination.
    """
    first = await tx.fetch_one(
        "SELECT queue_id FROM queue_recipient WHERE state = 'ready' AND transport = ? AND destination = ?"
        " AND due_ms <= ? AND lease_ms <= ? ORDER BY due_ms LIMIT 1",
        lane.transport.value,
        lane.destination,
        now_ms,
        now_ms,
    )
    if first is None:
        return None
    lease = Lease(host, now_ms + LEASE_MS)
    rows = await tx.fetch(
        "UPDATE queue_recipient SET lease_ms = ?, lease_by = ? WHERE id IN ("
        "SELECT id FROM queue_recipient WHERE queue_id = ? AND transport = ? AND destination = ?"
        " AND COALESCE(state, '') = 'ready' AND due_ms <= ? AND lease_ms <= ? ORDER BY id LIMIT ?)"
        " AND lease_ms <= ?"
        " RETURNING id, recipient, original_recipient, attempts, expires_ms, warned",
        lease.until_ms,
        lease.host,
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
    return _claim(lane.transport, lease, message, sorted(rows))


def _claim(transport: Transport, lease: Lease, message: Row, recipients: Sequence[Row]) -> Claim:
    queue_id, trace_id, blob_id, skip_bytes, size_bytes, reverse_path, is_utf8, is_8bit, created_ms = message
    return Claim(
        transport=transport,
        lease=lease,
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


async def still_leased(tx: Transaction, claim: Claim) -> set[int]:
    """Return which recipients a claim still has: a person may have removed some, or its lease has lapsed."""
    rows = await tx.fetch(
        "SELECT id FROM queue_recipient WHERE queue_id = ? AND lease_by = ? AND lease_ms = ?",
        claim.queue_id,
        claim.lease.host,
        claim.lease.until_ms,
    )
    return {row[0] for row in rows}


async def postpone(
    tx: Transaction, recipient_id: int, *, due_ms: int, error: str, warned: bool, now_ms: int
) -> None:
    """Put a leased recipient back to wait until `due_ms`, one attempt older; what is held stays held."""
    await tx.execute(
        "UPDATE queue_recipient SET attempts = attempts + 1, due_ms = ?, lease_ms = 0, lease_by = 0,"
        " last_error = ?, warned = warned OR ?, last_ms = ? WHERE id = ?",
        due_ms,
        error,
        warned,
        now_ms,
        recipient_id,
    )


async def hold_claim(tx: Transaction, claim: Claim, error: str, *, now_ms: int) -> None:
    """Hold what a claim still has, for a person to look at."""
    await tx.execute(
        "UPDATE queue_recipient SET state = 'held', lease_ms = 0, lease_by = 0, last_error = ?, last_ms = ?"
        " WHERE queue_id = ? AND lease_by = ? AND lease_ms = ?",
        error,
        now_ms,
        claim.queue_id,
        claim.lease.host,
        claim.lease.until_ms,
    )


async def remove_recipients(
    tx: Transaction, blobs: BlobStore, queue_id: int, recipient_ids: Sequence[int]
) -> int:
    """Remove recipients; with the last one the message row and its blob reference go.

    Returns how many were there.
    """
    count = 0
    for recipient_id in recipient_ids:
        row = await tx.fetch_one("DELETE FROM queue_recipient WHERE id = ? RETURNING id", recipient_id)
        count += row is not None
    row = await tx.fetch_one(
        "DELETE FROM queue_message WHERE id = ? AND NOT EXISTS"
        " (SELECT 1 FROM queue_recipient WHERE queue_id = ?) RETURNING blob_id",
        queue_id,
        queue_id,
    )
    if row is not None:
        await blobs.release(tx, row[0])
    return count
