"""Reads the rows of messages that a search's plan lets through."""

from collections.abc import Sequence

from freehold.modules.mail.folders.messages import messages_of
from freehold.modules.mail.imap.search.conditions import RowCondition, all_of
from freehold.modules.mail.imap.search.plan import SearchPlan
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.model import UID_BITS
from freehold.storage.database import Row, Transaction, Value

MAX_NAMED = 128
"""Contents that the index found are named to SQL up to this number; more are picked from all rows."""
NAMED_SIZES = (8, MAX_NAMED)
"""Few different statements, so that they stay prepared."""

FIXED_COLUMNS = 5
"""Id, modseq, blob, size, ENVELOPE; what the plan's `answers` say follows."""


async def read_candidates(
    tx: Transaction, plan: SearchPlan, view: View, ranges: Sequence[tuple[int, int]]
) -> list[Row]:
    """Return the rows of messages in ranges of row ids, by id.

    Without a check only the first three columns are read; without need of it the ENVELOPE is empty.
    """
    sql, before, after = _statement(plan, view)
    rows: list[Row] = []
    for first, last in ranges:
        rows += await tx.fetch(sql, *before, first, last, view.mailbox_id, *after)
    if plan.bounds is None or len(plan.bounds) <= MAX_NAMED:
        return rows
    bounds, tail_id = plan.bounds, _tail_id(plan, view)
    return [row for row in rows if row[2] in bounds or row[0] >= tail_id]


def _statement(plan: SearchPlan, view: View) -> tuple[str, list[Value], tuple[Value, ...]]:
    """Return the statement, and its parameters before and after the range and the mailbox."""
    columns = "m.id, m.modseq"
    tables, reader = messages_of(view.reader_id)
    before: list[Value] = []
    if plan.check is None:
        columns += ", m.blob_id"
    else:
        told = [f"CASE WHEN {each.sql} THEN 1 ELSE 0 END" for each in plan.answers]
        before = [argument for each in plan.answers for argument in each.arguments]
        envelope = "s.envelope" if plan.needs_envelope else "NULL"
        columns = ", ".join((columns, "m.blob_id, m.size_bytes", envelope, *told))
    if plan.needs_envelope:
        tables += " JOIN message_summary AS s ON s.blob_id = m.blob_id"
    where = all_of((plan.where, *_named(plan, view)))
    sql = (  # names of columns and tables are this program's own
        f"SELECT {columns} FROM {tables}"  # noqa: S608
        f" WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? AND {where.sql} ORDER BY m.id"
    )
    return sql, [*before, *reader], where.arguments


def _named(plan: SearchPlan, view: View) -> list[RowCondition]:
    """Return the condition that a message's content is one of few, or not known to the index."""
    if plan.bounds is None or len(plan.bounds) > MAX_NAMED:
        return []
    size = next(size for size in NAMED_SIZES if size >= len(plan.bounds))
    named = [*plan.bounds, *([0] * (size - len(plan.bounds)))]
    marks = ", ".join("?" * size)
    return [RowCondition(f"(m.id >= ? OR m.blob_id IN ({marks}))", (_tail_id(plan, view), *named))]


def _tail_id(plan: SearchPlan, view: View) -> int:
    """Return the row id from which on the index does not know the messages."""
    return (view.folder_id << UID_BITS) + plan.tail_uid
