"""Reads messages of the selected folder for FETCH and what follows from it, chunk by chunk.

All is columns: one list for each data item, so that a chunk of messages is written by one format.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from freehold.modules.mail.folders.messages import MESSAGES, messages_of
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.imap.messages.flag_bytes import FLAG_BYTES, RECENT_BIT
from freehold.modules.mail.imap.messages.internal_date import internal_dates
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.imap.partial import PartialRange
from freehold.protocols.imap.wire_string import nstring
from freehold.storage.database import Database, Row, Transaction

CHUNK_MESSAGES = 400
"""Messages with ready-made structures that are read and written at once: one to two milliseconds."""
DENSE_CHUNK_MESSAGES = 1000
"""As many without, in the same time."""

PREVIEW_COLUMN = "i.preview"
EMAIL_IDS = "email ids"
"""The name of a chunk's column that no table has; see `fetch_columns.py`."""

_COLUMNS: dict[FetchAttribute, tuple[str, ...]] = {
    FetchAttribute.UID: (),
    FetchAttribute.FLAGS: ("m.flags", "m.keywords"),
    FetchAttribute.INTERNALDATE: ("m.internal_ms",),
    FetchAttribute.RFC822_SIZE: ("m.size_bytes",),
    FetchAttribute.MODSEQ: ("m.modseq",),
    FetchAttribute.ENVELOPE: ("s.envelope",),
    FetchAttribute.BODYSTRUCTURE: ("s.body_structure",),
    FetchAttribute.EMAILID: ("m.blob_id",),
    FetchAttribute.THREADID: (),
    FetchAttribute.SAVEDATE: ("m.saved_ms",),
    FetchAttribute.PREVIEW: (PREVIEW_COLUMN, "m.blob_id", "m.size_bytes"),
    FetchAttribute.PREVIEW_LAZY: (PREVIEW_COLUMN,),
}
_FORMATS: dict[FetchAttribute, bytes] = {
    FetchAttribute.UID: b"UID %d",
    FetchAttribute.FLAGS: b"FLAGS (%b)",
    FetchAttribute.INTERNALDATE: b"INTERNALDATE %b",
    FetchAttribute.RFC822_SIZE: b"RFC822.SIZE %d",
    FetchAttribute.MODSEQ: b"MODSEQ (%d)",
    FetchAttribute.ENVELOPE: b"ENVELOPE %b",
    FetchAttribute.BODYSTRUCTURE: b"BODYSTRUCTURE %b",
    FetchAttribute.EMAILID: b"EMAILID (%b)",
    FetchAttribute.THREADID: b"THREADID %b",
    FetchAttribute.SAVEDATE: b"SAVEDATE %b",
    FetchAttribute.PREVIEW: b"PREVIEW %b",
    FetchAttribute.PREVIEW_LAZY: b"PREVIEW %b",
}

Columns = dict[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Which items come from rows, and how they are written.

    `columns` are what is read behind the id; `format` has one place for each item.
    """

    items: tuple[FetchAttribute, ...]
    columns: tuple[str, ...]
    sql: str
    format: bytes

    @property
    def chunk_messages(self) -> int:
        """How many messages to read and write at once."""
        is_dense = not any(column.startswith(("s.", "i.")) for column in self.columns)
        return DENSE_CHUNK_MESSAGES if is_dense else CHUNK_MESSAGES


@lru_cache(maxsize=256)
def plan_rows(
    items: tuple[FetchAttribute, ...], more: tuple[str, ...] = (), *, changed_only: bool = False
) -> RowPlan:
    """Return the plan for items, in their order, with further columns for the caller's own use."""
    columns = tuple(dict.fromkeys(chain(*(_COLUMNS[item] for item in items), more)))
    tables = MESSAGES
    if any(column.startswith("s.") for column in columns):
        tables += " JOIN message_summary AS s ON s.blob_id = m.blob_id"
    if PREVIEW_COLUMN in columns:
        tables += " LEFT JOIN message_index AS i ON i.blob_id = m.blob_id"
    condition = " AND m.modseq > ?" if changed_only else ""
    sql = (  # names of columns and tables are this program's own
        f"SELECT {', '.join(('m.id', *columns))} FROM {tables}"  # noqa: S608
        f" WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ?{condition} ORDER BY m.id"
    )
    return RowPlan(items, columns, sql, b" ".join(_FORMATS[item] for item in items))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some messages: numbers, UIDs, columns by name; `missing` counts those that are gone."""

    numbers: Sequence[int]
    uids: Sequence[int]
    columns: Columns
    missing: int


def split_positions(positions: Sequence[range], most: int = CHUNK_MESSAGES) -> Iterator[list[range]]:
    """Yield ranges of indexes in groups of at most `most` messages."""
    group: list[range] = []
    room = most
    for whole in positions:
        start = whole.start
        while start < whole.stop:
            piece = range(start, min(whole.stop, start + room))
            group.append(piece)
            room -= len(piece)
            start = piece.stop
            if not room:
                yield group
                group, room = [], most
    if group:
        yield group


def select_page(positions: Sequence[range], page: PartialRange) -> list[range]:
    """Return the indexes that a page of them holds (RFC 9394 §3.3)."""
    wanted = page.indexes(sum(map(len, positions)))
    chosen: list[range] = []
    before = 0
    for each in positions:
        chosen.append(each[max(0, wanted.start - before) : max(0, wanted.stop - before)])
        before += len(each)
    return [each for each in chosen if each]


async def read_messages(
    database: Database, view: View, sql: str, group: Sequence[range], *arguments: int
) -> list[Row]:
    """Return the rows of a plan's statement for the messages at some indexes, as who reads sees them.

    `sql` selects from `MESSAGES` and has parameters for the first and last id and for the mailbox, which
    are given here, before `arguments`.
    """
    source, before = messages_of(view.reader_id)
    if before:
        sql = sql.replace(MESSAGES, source, 1)
    return await database.read(
        _read_rows, sql, view.folder_id, ranges_at(view, group), before, (view.mailbox_id, *arguments)
    )


async def _read_rows(
    tx: Transaction,
    sql: str,
    folder_id: int,
    ranges: Sequence[UidRange],
    before: tuple[int, ...],
    behind: tuple[int, ...],
) -> list[Row]:
    base = folder_id << UID_BITS
    rows: list[Row] = []
    for first, last in ranges:
        rows += await tx.fetch(sql, *before, base + first, base + last, *behind)
    return rows


def ranges_at(view: View, group: Sequence[range]) -> list[UidRange]:
    """Return ranges of UIDs that hold the messages at some indexes, and none other of the view."""
    uids = view.uids
    return [(uids.uid_at(each.start), uids.uid_at(each.stop - 1)) for each in group]


def make_chunk(view: View, plan: RowPlan, group: Sequence[range], rows: list[Row]) -> Chunk:
    """Put rows under their message numbers.

    Within the ranges asked for only messages of the view exist, since UIDs only grow: as many rows as
    messages are the same messages.
    """
    expected = sum(map(len, group))
    if not rows:
        return Chunk((), (), {}, expected)
    ids, *columns = zip(*rows, strict=True)
    uids = [row_id & MAX_UID for row_id in ids]
    numbers: Sequence[int]
    if len(rows) == expected:
        ranges = [range(each.start + 1, each.stop + 1) for each in group]
        numbers = ranges[0] if len(ranges) == 1 else list(chain.from_iterable(ranges))
    else:
        numbers = [view.uids.index_of(uid) + 1 for uid in uids]
    return Chunk(numbers, uids, dict(zip(plan.columns, columns, strict=True)), expected - len(rows))


def write_chunk(view: View, plan: RowPlan, chunk: Chunk) -> bytes:
    """Write the FETCH responses of a chunk."""
    names, word = told_names(view, chunk)
    line = b"* %%d %b (%b)\r\n" % (word, plan.format)
    values = [_VALUES[item](view, chunk) for item in plan.items]
    return b"".join(map(line.__mod__, zip(names, *values, strict=True)))


def told_names(view: View, chunk: Chunk) -> tuple[Sequence[int], bytes]:
    """Return what messages are told as, and by which response (RFC 9586 §3.3)."""
    return (chunk.uids, b"UIDFETCH") if view.uid_only else (chunk.numbers, b"FETCH")


def item_values(view: View, plan: RowPlan, chunk: Chunk) -> list[bytes]:
    """Write only the items of each message, for responses that go on with a body."""
    if not plan.items:
        return [b""] * len(chunk.numbers)
    values = [_VALUES[item](view, chunk) for item in plan.items]
    return [plan.format % each for each in zip(*values, strict=True)]


def flag_values(view: View, chunk: Chunk) -> Sequence[bytes]:
    r"""Return the flag list of each message, with \Recent where this session has it."""
    flags, keywords = chunk.columns["m.flags"], chunk.columns["m.keywords"]
    recent, first, behind = view.recent, chunk.uids[0], chunk.uids[-1] + 1
    count = recent.rank(behind) - recent.rank(first)
    # A chunk may skip messages: only where it does not, as many that are recent are the same ones.
    if count == len(chunk.uids) == view.uids.rank(behind) - view.uids.rank(first):
        flags = [bits | RECENT_BIT for bits in flags]
    elif count:
        flags = [
            bits if recent.index_of(uid) < 0 else bits | RECENT_BIT
            for bits, uid in zip(flags, chunk.uids, strict=True)
        ]
    written = FLAG_BYTES
    return [written[key] for key in zip(flags, keywords, strict=True)]


def _column(name: str) -> Callable[[View, Chunk], Sequence[Any]]:
    return lambda _view, chunk: chunk.columns[name]


def _previews(_view: View, chunk: Chunk) -> Sequence[bytes]:
    """Write each preview, NIL where there is none yet (RFC 8970 §3.2)."""
    return [nstring(None if text is None else text.encode()) for text in chunk.columns[PREVIEW_COLUMN]]


_VALUES: dict[FetchAttribute, Callable[[View, Chunk], Sequence[Any]]] = {
    FetchAttribute.UID: lambda _view, chunk: chunk.uids,
    FetchAttribute.FLAGS: flag_values,
    FetchAttribute.INTERNALDATE: lambda _view, chunk: internal_dates(chunk.columns["m.internal_ms"]),
    FetchAttribute.RFC822_SIZE: _column("m.size_bytes"),
    FetchAttribute.MODSEQ: _column("m.modseq"),
    FetchAttribute.ENVELOPE: _column("s.envelope"),
    FetchAttribute.BODYSTRUCTURE: _column("s.body_structure"),
    FetchAttribute.EMAILID: _column(EMAIL_IDS),
    FetchAttribute.THREADID: lambda _view, chunk: [b"NIL"] * len(chunk.uids),
    FetchAttribute.SAVEDATE: lambda _view, chunk: internal_dates(chunk.columns["m.saved_ms"]),
    FetchAttribute.PREVIEW: _previews,
    FetchAttribute.PREVIEW_LAZY: _previews,
}
