"""Reads the rows of `message_index` for messages of a folder; those not indexed yet are computed here."""

from collections.abc import Sequence

from freehold.errors import NotFoundError
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.search.index_row import COLUMNS, IndexRow, header_row
from freehold.protocols.mime.buffer import MAX_HEADER_BYTES
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database, Row, Transaction

HEADS_AT_ONCE = 64
"""Headers of messages without a row that are in memory at once."""

MESSAGE_COLUMNS = ("internal_ms", "size_bytes")
"""INTERNALDATE in UTC ms, and octets: columns of `message` that may be asked for too."""

_MAY_BE_NULL = "sent_ms"
"""The one column that says nothing of whether a message has a row."""


async def read_index_rows(
    database: Database,
    blobs: BlobStore,
    mailbox_id: int,
    folder_id: int,
    ranges: Sequence[UidRange],
    columns: Sequence[str],
) -> list[Row]:
    """Return (UID, columns…) of messages, by UID.

    `ranges` are ascending and disjoint; ask for some thousand messages at a time. `columns` are names of
    `IndexRow` or of `MESSAGE_COLUMNS`. Without a row a message has what its header says, and no preview;
    one whose content is gone before that is read is left out, for it is gone too.
    """
    rows, missing = await database.read(_read, mailbox_id, folder_id, ranges, tuple(columns))
    if not missing:
        return rows
    known: dict[int, IndexRow] = {}
    blob_ids = list(dict.fromkeys(missing.values()))
    for start in range(0, len(blob_ids), HEADS_AT_ONCE):
        known |= await _compute(database, blobs, blob_ids[start : start + HEADS_AT_ONCE])
    return [
        _completed(row, known[missing[row[0]]], columns) if row[0] in missing else row
        for row in rows
        if row[0] not in missing or missing[row[0]] in known
    ]


async def _read(
    tx: Transaction, mailbox_id: int, folder_id: int, ranges: Sequence[UidRange], columns: tuple[str, ...]
) -> tuple[list[Row], dict[int, int]]:
    """Return the rows, and the contents of those that are not indexed yet, by UID."""
    assert set(columns) <= {*COLUMNS, *MESSAGE_COLUMNS}
    messages, index = "message AS m", " LEFT JOIN message_index AS i ON i.blob_id = m.blob_id"
    indexed = [name for name in columns if name not in MESSAGE_COLUMNS]
    # names of columns are this program's own
    wanted = "".join(f", m.{name}" if name in MESSAGE_COLUMNS else f", i.{name}" for name in columns)
    rows = await _fetch(
        tx,
        f"SELECT m.id & {MAX_UID}{wanted} FROM {messages}"  # noqa: S608
        f"{index if indexed else ''} WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? ORDER BY m.id",
        mailbox_id,
        folder_id,
        ranges,
    )
    if not indexed:
        return rows, {}
    telling = next((name for name in indexed if name != _MAY_BE_NULL), _MAY_BE_NULL)
    place = 1 + columns.index(telling)
    if None not in [row[place] for row in rows]:
        return rows, {}
    missing = await _fetch(
        tx,
        f"SELECT m.id & {MAX_UID}, m.blob_id FROM {messages}{index}"  # noqa: S608
        " WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ? AND i.blob_id IS NULL",
        mailbox_id,
        folder_id,
        ranges,
    )
    return rows, dict(missing)


async def _fetch(
    tx: Transaction, sql: str, mailbox_id: int, folder_id: int, ranges: Sequence[UidRange]
) -> list[Row]:
    base = folder_id << UID_BITS
    rows: list[Row] = []
    for first, last in ranges:
        rows += await tx.fetch(sql, base + first, base + last, mailbox_id)
    return rows


async def _compute(database: Database, blobs: BlobStore, blob_ids: Sequence[int]) -> dict[int, IndexRow]:
    heads = await database.read(blobs.read_many, blob_ids)
    for blob_id in blob_ids:
        if blob_id not in heads:
            try:
                heads[blob_id] = await blobs.read(blob_id, 0, MAX_HEADER_BYTES)
            except NotFoundError:
                continue
    return {blob_id: header_row(head) for blob_id, head in heads.items()}


def _completed(row: Row, computed: IndexRow, columns: Sequence[str]) -> Row:
    values = zip(row[1:], columns, strict=True)
    return (
        row[0],
        *(value if name in MESSAGE_COLUMNS else getattr(computed, name) for value, name in values),
    )
