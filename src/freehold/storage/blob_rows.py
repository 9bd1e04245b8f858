"""The blob table: small contents, counted references, and what large contents are called.

`place` is 'row' (the column data holds the bytes) or '<where>:<key>' (a file or an S3 object does). A large
content that nothing names any more is noted in discarded_blob by the commit that let it go.
"""

from collections.abc import Iterator, Mapping, Sequence
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


async def add_references(tx: Transaction, counts: Mapping[int, int]) -> None:
    """Count more rows that name contents, by id; raises NotFoundError when one of them is gone."""
    for count, blob_ids in _by_count(counts):
        for wanted in _pieces(blob_ids):
            found = await tx.fetch(_ADD[len(wanted)], count, *wanted)
            if len(found) < len(set(wanted)):
                raise NotFoundError("the message's content is gone")


async def release(tx: Transaction, counts: Mapping[int, int]) -> None:
    """Count fewer, by id; at zero a content goes. One that is gone already is no error."""
    for count, blob_ids in _by_count(counts):
        for wanted in _pieces(blob_ids):
            gone = await tx.fetch(_DELETE[len(wanted)], count, *wanted)
            if len(gone) < len(set(wanted)):
                await tx.execute(_SUBTRACT[len(wanted)], count, *wanted)
            large = [(place,) for (place,) in gone if place != ROW]
            if large:
                await tx.execute_many("INSERT INTO discarded_blob (place) VALUES (?)", large)


def _by_count(counts: Mapping[int, int]) -> Iterator[tuple[int, list[int]]]:
    """Yield the ids of each count, ascending, so that transactions seldom wait for each other in a circle."""
    groups: dict[int, list[int]] = {}
    for blob_id in sorted(counts):
        groups.setdefault(counts[blob_id], []).append(blob_id)
    yield from groups.items()


def _pieces(blob_ids: Sequence[int]) -> Iterator[list[int]]:
    """Yield ids in lists of lengths that have a prepared statement; the last id fills up the last list."""
    start = 0
    while start < len(blob_ids):
        remaining = len(blob_ids) - start
        size = next((size for size in LOOK_UP_SIZES if size >= remaining), LOOK_UP_SIZES[-1])
        wanted = list(blob_ids[start : start + size])
        start += size
        yield wanted + wanted[-1:] * (size - len(wanted))


def _by_size(statement: str) -> dict[int, str]:
    """Return a statement over `IN (…)` for each of the lengths."""
    return {size: statement.replace("IN ()", f"IN ({', '.join('?' * size)})") for size in LOOK_UP_SIZES}


_ADD: Final = _by_size("UPDATE blob SET refs = refs + ? WHERE id IN () RETURNING id")
_SUBTRACT: Final = _by_size("UPDATE blob SET refs = refs - ? WHERE id IN ()")
_DELETE: Final = _by_size("DELETE FROM blob WHERE refs <= ? AND id IN () RETURNING place")
_LOOK_UPS: Final = _by_size("SELECT id, data FROM blob WHERE id IN () AND place = 'row'")


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
    for wanted in _pieces(blob_ids):
        found.update(await tx.fetch(_LOOK_UPS[len(wanted)], *wanted))
    return found


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
