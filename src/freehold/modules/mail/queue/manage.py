"""What people do with the queue: look, retry, hold, release, remove."""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.errors import NotFoundError
from freehold.modules.mail.queue.store import remove_recipients
from freehold.modules.mail.trace import TraceState, update_trace
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Row, Transaction


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One recipient of the queue, as people see it. `due_ms` is when it is tried next."""

    queue_id: int
    trace_id: int
    recipient_id: int
    reverse_path: str
    recipient: str
    transport: str
    state: str
    is_leased: bool
    attempts: int
    size_bytes: int
    created_ms: int
    due_ms: int
    expires_ms: int
    last_error: str


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which entries: all conditions that are set must hold; in lower case.

    `address` is a recipient's or the sender's; `domain` the one that mail goes to.
    """

    queue_id: int | None = None
    address: str | None = None
    domain: str | None = None
    is_held: bool | None = None


_COLUMNS = (
    "SELECT m.id, m.trace_id, r.id, m.reverse_path, r.recipient, r.transport, r.state, r.lease_ms,"
    " r.attempts, m.size_bytes, m.created_ms, r.due_ms, r.expires_ms, r.last_error"
    " FROM queue_recipient r JOIN queue_message m ON m.id = r.queue_id"
)


async def list_entries(tx: Transaction, wanted: QueueFilter, *, now_ms: int, most: int) -> list[QueueEntry]:
    """Return matching recipients, the oldest message first."""
    where, arguments = _condition(wanted)
    rows = await tx.fetch(f"{_COLUMNS} {where} ORDER BY m.id, r.id LIMIT ?", *arguments, most)
    return [_entry(row, now_ms) for row in rows]


async def count_entries(tx: Transaction) -> int:
    """Return how many recipients the queue holds."""
    row = await tx.fetch_one("SELECT COUNT(*) FROM queue_recipient")
    return 0 if row is None else int(row[0])


async def retry_entries(tx: Transaction, entries: Sequence[QueueEntry], *, now_ms: int) -> None:
    """Make entries due now; held ones stay held."""
    await tx.execute_many(
        "UPDATE queue_recipient SET due_ms = ? WHERE id = ?",
        [(now_ms, each.recipient_id) for each in entries],
    )


async def hold_entries(tx: Transaction, entries: Sequence[QueueEntry], *, now_ms: int) -> int:
    """Keep entries from being tried until they are released; returns how many were still there."""
    held = [
        each
        for each in entries
        if await tx.fetch_one(
            "UPDATE queue_recipient SET state = 'held' WHERE id = ? RETURNING id", each.recipient_id
        )
    ]
    for each in held:
        await update_trace(tx, each.trace_id, each.recipient, TraceState.HELD, "held by hand", now_ms=now_ms)
    return len(held)


async def release_entries(tx: Transaction, entries: Sequence[QueueEntry], *, now_ms: int) -> int:
    """Let held entries be tried again, at once; returns how many there were."""
    released = [
        each
        for each in entries
        if await tx.fetch_one(
            "UPDATE queue_recipient SET state = 'ready', due_ms = ? WHERE id = ? AND state = 'held'"
            " RETURNING id",
            now_ms,
            each.recipient_id,
        )
    ]
    for each in released:
        await update_trace(tx, each.trace_id, each.recipient, TraceState.QUEUED, "released", now_ms=now_ms)
    return len(released)


async def remove_entries(
    tx: Transaction, blobs: BlobStore, entries: Sequence[QueueEntry], *, now_ms: int
) -> int:
    """Remove entries without a bounce, and say so in the trace; returns how many were still there."""
    removed = 0
    for each in entries:
        if not await remove_recipients(tx, blobs, each.queue_id, [each.recipient_id]):
            continue  # delivered meanwhile: its trace is right
        removed += 1
        detail = "removed from the queue by hand"
        await update_trace(tx, each.trace_id, each.recipient, TraceState.REMOVED, detail, now_ms=now_ms)
    return removed


async def find_entries(tx: Transaction, wanted: QueueFilter, *, now_ms: int, most: int) -> list[QueueEntry]:
    """Return matching entries as `list_entries` does.

    Raises:
        NotFoundError: nothing matches.
    """
    entries = await list_entries(tx, wanted, now_ms=now_ms, most=most)
    if not entries:
        raise NotFoundError("nothing in the queue matches: see freehold queue list")
    return entries


def _condition(wanted: QueueFilter) -> tuple[str, list[int | str]]:
    conditions: list[tuple[str, int | str]] = []
    if wanted.queue_id is not None:
        conditions.append(("m.id = ?", wanted.queue_id))
    if wanted.address is not None:
        conditions.append(("? IN (LOWER(r.recipient), LOWER(m.reverse_path))", wanted.address))
    if wanted.domain is not None:
        conditions.append(("r.destination = ?", wanted.domain))
    if wanted.is_held is not None:
        conditions.append(("r.state = ?", "held" if wanted.is_held else "ready"))
    if not conditions:
        return "", []
    return "WHERE " + " AND ".join(text for text, _ in conditions), [value for _, value in conditions]


def _entry(row: Row, now_ms: int) -> QueueEntry:
    (
        queue_id, trace_id, recipient_id, reverse_path, recipient, transport, state, lease_ms, attempts,
        size_bytes, created_ms, due_ms, expires_ms, last_error,
    ) = row  # fmt: skip
    return QueueEntry(
        queue_id=queue_id,
        trace_id=trace_id,
        recipient_id=recipient_id,
        reverse_path=reverse_path,
        recipient=recipient,
        transport=transport,
        state=state,
        is_leased=lease_ms > now_ms,
        attempts=attempts,
        size_bytes=size_bytes,
        created_ms=created_ms,
        due_ms=due_ms,
        expires_ms=expires_ms,
        last_error=last_error,
    )
