"""Reads the rows of `message_index` for messages of a folder; those not indexed yet are computed here."""

from collections.abc import Sequence
from itertools import chain

from freehold.errors import NotFoundError
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.search.index_row import COLUMNS, IndexRow, header_row
from freehold.protocols.mime.buffer import MAX_HEADER_BYTES
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database, Row, Transaction

HEADS_AT_ONCE = 64
"""Headers of messages without a row that are in memory at once."""

_FIXED = 5
"""Id, INTERNALDATE, size, blob, and whether there is a row; then the wanted columns."""


async def read_index_rows(
    database: Database,
    blobs: BlobStore,
    mailbox_id: int,
    folder_id: int,
    ranges: Sequence[UidRange],
    columns: Sequence[str] = COLUMNS,
) -> list[Row]:
    """Return (UID, INTERNALDATE in UTC ms, size in octets, columns…) of messages, by UID.

    `ranges` are ascending and disjoint; ask for some thousand messages at a time. `columns` are names of
    `IndexRow`. Without a row a message has what its header says, and no preview.
    """
    rows = await database.read(_read, mailbox_id, folder_id, ranges, tuple(columns))
    missing = [row[3] for row in rows if row[4] is None]
    known: dict[int, Row] = {}
    for start in range(0, len(missing), HEADS_AT_ONCE):
        known |= await _compute(database, blobs, missing[start : start + HEADS_AT_ONCE], columns)
    nothing = _pick(header_row(b""), columns)
    return [
        (row[0] & MAX_UID, row[1], row[2], *(known.get(row[3], nothing) if row[4] is None else row[_FIXED:]))
        for row in rows
    ]


async def _read(
    tx: Transaction, mailbox_id: int, folder_id: int, ranges: Sequence[UidRange], columns: tuple[str, ...]
) -> list[Row]:
    assert set(columns) <= set(COLUMNS)
    wanted = ", ".join(chain(("i.blob_id",), (f"i.{column}" for column in columns)))
    sql = (  # names of columns are this program's own
        f"SELECT m.id, m.internal_ms, m.size_bytes, m.blob_id, {wanted} FROM message AS m"  # noqa: S608
        " LEFT JOIN message_index AS i ON i.blob_id = m.blob_id"
        " WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? ORDER BY m.id"
    )
    base = folder_id << UID_BITS
    rows: list[Row] = []
    for first, last in ranges:
        rows += await tx.fetch(sql, base + first, base + last, mailbox_id)
    return rows


async def _compute(
    database: Database, blobs: BlobStore, blob_ids: Sequence[int], columns: Sequence[str]
) -> dict[int, Row]:
    heads = await database.read(blobs.read_many, blob_ids)
    for blob_id in blob_ids:
        if blob_id not in heads:
            try:
                heads[blob_id] = await blobs.read(blob_id, 0, MAX_HEADER_BYTES)
            except NotFoundError:
                continue
    return {blob_id: _pick(header_row(head), columns) for blob_id, head in heads.items()}


def _pick(row: IndexRow, columns: Sequence[str]) -> Row:
    return tuple(getattr(row, column) for column in columns)
