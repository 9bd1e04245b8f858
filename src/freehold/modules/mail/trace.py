"""What happened to each message, so that "where is my mail?" has an answer.

A trace is written in the transaction that accepts a message and updated by those that deliver it,
so it is exactly as durable as the mail. It is found by its id at once, and by a recipient or the
sender by a search. Recipients are kept in lower case.
"""

from collections.abc import Iterable
from enum import Enum

import msgspec

from freehold.storage.database import Transaction
from freehold.storage.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS

MAX_DETAIL_CHARACTERS = 500
"""Longer details (a peer's reply, say) are cut."""


class TraceState(Enum):
    """What has become of a message for one address (the words of `trace_recipient.state`)."""

    DELIVERED = "delivered"
    QUEUED = "queued"
    DEFERRED = "deferred"
    RELAYED = "relayed"
    BOUNCED = "bounced"
    DISCARDED = "discarded"
    HELD = "held"
    REMOVED = "removed"


class Trace(msgspec.Struct, frozen=True):
    """One accepted message. `client` is its address and HELO name, or the login that sent it."""

    id: int
    received_ms: int
    reverse_path: str
    client: str
    size_bytes: int
    message_id: str


class TraceLine(msgspec.Struct, frozen=True):
    """What has become of a message for one address."""

    address: str
    trace_id: int
    state: TraceState
    detail: str
    changed_ms: int


async def insert_trace(
    tx: Transaction, trace: Trace, outcomes: Iterable[tuple[str, TraceState, str]]
) -> None:
    """Record an accepted message and (address, state, detail) for each recipient."""
    await tx.execute(
        "INSERT INTO trace (id, received_ms, reverse_path, client, size_bytes, message_id) VALUES (?,"
        " ?, ?, ?, ?, ?)",
        trace.id,
        trace.received_ms,
        trace.reverse_path,
        trace.client,
        trace.size_bytes,
        trace.message_id,
    )
    lines = {address.lower(): (state, detail) for address, state, detail in outcomes}
    await tx.execute_many(
        "INSERT INTO trace_recipient (trace_id, address, state, detail, changed_ms) VALUES (?, ?, ?, ?, ?)",
        [
            (trace.id, address, state.value, detail[:MAX_DETAIL_CHARACTERS], trace.received_ms)
            for address, (state, detail) in lines.items()
        ],
    )


async def update_trace(
    tx: Transaction, trace_id: int, address: str, state: TraceState, detail: str, *, now_ms: int
) -> None:
    """Set what has become of a message for `address`."""
    await tx.execute(
        "UPDATE trace_recipient SET state = ?, detail = ?, changed_ms = ? WHERE address = ? AND trace_id = ?",
        state.value,
        detail[:MAX_DETAIL_CHARACTERS],
        now_ms,
        address.lower(),
        trace_id,
    )


async def find_by_id(tx: Transaction, trace_id: int) -> tuple[Trace, list[TraceLine]] | None:
    """Return one message's trace with all its addresses."""
    row = await tx.fetch_one(
        "SELECT id, received_ms, reverse_path, client, size_bytes, message_id FROM trace WHERE id = ?",
        trace_id,
    )
    if row is None:
        return None
    lines = await tx.fetch(
        "SELECT address, trace_id, state, detail, changed_ms FROM trace_recipient WHERE trace_id = ?"
        " ORDER BY address",
        trace_id,
    )
    return Trace(*row), [_line(line) for line in lines]


async def find_by_address(tx: Transaction, address: str, *, most: int) -> list[tuple[Trace, list[TraceLine]]]:
    """Return the newest messages to or from `address`, newest first. Reads through all traces."""
    wanted = address.lower()
    sender = "" if wanted == "<>" else wanted
    rows = await tx.fetch(
        "SELECT id FROM trace WHERE LOWER(reverse_path) = ?"
        " UNION SELECT trace_id FROM trace_recipient WHERE address = ? ORDER BY 1 DESC LIMIT ?",
        sender,
        wanted,
        most,
    )
    found = [await find_by_id(tx, row[0]) for row in rows]
    return [each for each in found if each is not None]


async def sweep_traces(tx: Transaction, *, before_ms: int, most: int) -> int:
    """Forget up to `most` traces received before `before_ms`; returns how many were."""
    oldest_kept = max(before_ms - EPOCH_MS, 0) << (NODE_BITS + SEQUENCE_BITS)  # ids are ordered by time
    rows = await tx.fetch("SELECT id FROM trace WHERE id < ? ORDER BY id LIMIT ?", oldest_kept, most)
    ids = [(row[0],) for row in rows]
    await tx.execute_many("DELETE FROM trace_recipient WHERE trace_id = ?", ids)
    await tx.execute_many("DELETE FROM trace WHERE id = ?", ids)
    return len(ids)


def _line(row: tuple[str, int, str, str, int]) -> TraceLine:
    address, trace_id, state, detail, changed_ms = row
    return TraceLine(address, trace_id, TraceState(state), detail, changed_ms)
