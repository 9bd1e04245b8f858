"""The blob table: small contents, counted references, and what large contents are called.

`place` is 'row' (the column data holds the bytes) or '<where>:<key>' (a file or an S3 object does). A large
content that nothing names any more is noted in discarded_blob by the commit that let it go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from freehold.errors import NotFoundError
from freehold.storage.database import Transaction

ROW: Final = "row"
LOOK_UP_SIZES: Final = (1, 16, 128)  # few different statements, so that they stay prepared


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A row of the blob table, without its contents when they are large."""

    blob_id: int
    size_bytes: int
    place: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class NewBlob:
    """What to insert: exactly one of `data` and a place other than 'row'."""

    blob_id: int
    size_bytes: int
    place: str
    references: int
    data: bytes | None


async def insert(tx: Transaction, blob: NewBlob) -> None:
    """Add a content with its first references."""
    await tx.execute(
        "INSERT INTO blob (id, size_bytes, place, refs, data) VALUES (?, ?, ?, ?, ?)",
        blob.blob_id,
        blob.size_bytes,
        blob.place,
        blob.references,
        blob.data,
    )


async def add_references(tx: Transaction, blob_id: int, count: int) -> None:
    """Count more rows that name a content; raises NotFoundError when it is gone."""
    row = await tx.fetch_one("UPDATE blob SET refs = refs + ? WHERE id = ? RETURNING id", count, blob_id)
    if row is None:
        raise NotFoundError("the message's content is gone")


async def release(tx: Transaction, blob_id: int, count: int) -> None:
    """Count fewer; at zero the content goes. A content that is gone already is no error."""
    kept = await tx.fetch_one(
        "UPDATE blob SET refs = refs - ? WHERE id = ? AND refs > ? RETURNING id", count, blob_id, count
    )
    if kept is not None:
        return
    gone = await tx.fetch_one("DELETE FROM blob WHERE id = ? RETURNING place", blob_id)
    if gone is not None and gone[0] != ROW:
        await tx.execute("INSERT INTO discarded_blob (place) VALUES (?)", gone[0])


async def find(tx: Transaction, blob_id: int) -> StoredBlob | None:
    """Return a content; its bytes only when they are in the row."""
    row = await tx.fetch_one("SELECT id, size_bytes, place, data FROM blob WHERE id = ?", blob_id)
    return None if row is None else StoredBlob(*row)


async def find_part(tx: Transaction, blob_id: int, offset: int, length: int) -> StoredBlob | None:
    """Return a content with only a part of its bytes, when they are in the row."""
    row = await tx.fetch_one(
        "SELECT id, size_bytes, place, CASE WHEN size_bytes = 0 THEN data ELSE"
        " substr(data, CAST(? AS INTEGER), CAST(? AS INTEGER)) END FROM blob WHERE id = ?",
        offset + 1,
        length,
        blob_id,
    )
    return None if row is None else StoredBlob(*row)


async def find_small(tx: Transaction, blob_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the bytes of those contents that are in rows."""
    found: dict[int, bytes] = {}
    start = 0
    while start < len(blob_ids):
        remaining = len(blob_ids) - start
        size = next((size for size in LOOK_UP_SIZES if size >= remaining), LOOK_UP_SIZES[-1])
        wanted = blob_ids[start : start + size]
        start += size
        padded = [*wanted, *([wanted[-1]] * (size - len(wanted)))]
        found.update(await tx.fetch(_LOOK_UPS[size], *padded))
    return found


def _look_up(size: int) -> str:
    parameters = ", ".join("?" * size)
    return f"SELECT id, data FROM blob WHERE id IN ({parameters}) AND place = 'row'"  # noqa: S608 (only `?`)


_LOOK_UPS: Final = {size: _look_up(size) for size in LOOK_UP_SIZES}


async def large_after(tx: Transaction, blob_id: int, limit: int) -> list[StoredBlob]:
    """Return the next large contents in order of their ids."""
    rows = await tx.fetch(
        "SELECT id, size_bytes, place, NULL FROM blob WHERE place <> 'row' AND id > ? ORDER BY id LIMIT ?",
        blob_id,
        limit,
    )
    return [StoredBlob(*row) for row in rows]


async def unnamed(tx: Transaction, places: Sequence[str]) -> list[str]:
    """Return those places that no row names."""
    return [
        place
        for place in places
        if await tx.fetch_one("SELECT id FROM blob WHERE place = ? AND place <> 'row'", place) is None
    ]


async def discarded_after(tx: Transaction, place: str, limit: int) -> list[str]:
    """Return, in order, places whose contents were let go by a commit and are still to be removed."""
    rows = await tx.fetch(
        "SELECT place FROM discarded_blob WHERE place > ? ORDER BY place LIMIT ?", place, limit
    )
    return [row[0] for row in rows]


async def forget_discarded(tx: Transaction, places: Sequence[str]) -> None:
    """Note that the contents at these places are removed."""
    await tx.execute_many("DELETE FROM discarded_blob WHERE place = ?", [(place,) for place in places])
