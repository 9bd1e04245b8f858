"""Sets of UIDs as inclusive ranges, and rows read by them."""

from collections.abc import Iterable, Sequence

from freehold.modules.mail.model import UID_BITS
from freehold.storage.database import Row, Transaction

UidRange = tuple[int, int]

RANGES_READ_ONE_BY_ONE = 64
"""Sets of more ranges are read by one statement over all of them and sifted, unless they lie far apart."""
UIDS_BETWEEN_RANGES = 40
"""How far apart, on average, ranges may lie to be read together."""


async def fetch_in(
    tx: Transaction,
    sql: str,
    folder_id: int,
    ranges: Sequence[UidRange],
    *arguments: int,
    before: tuple[int, ...] = (),
) -> list[Row]:
    """Return the rows of a statement for the UIDs of ascending, disjoint `ranges`, in order.

    `sql` ends in a condition with two parameters, the first and last row id, behind those for `before` and
    ahead of those for `arguments`; its first column is the row id, by which it must be ordered.
    """
    base = folder_id << UID_BITS
    if not ranges:
        return []
    span = ranges[-1][1] - ranges[0][0]
    if len(ranges) <= RANGES_READ_ONE_BY_ONE or span > UIDS_BETWEEN_RANGES * len(ranges):
        rows: list[Row] = []
        for first, last in ranges:
            rows += await tx.fetch(sql, *before, base + first, base + last, *arguments)
        return rows
    rows = await tx.fetch(sql, *before, base + ranges[0][0], base + ranges[-1][1], *arguments)
    return _sift(rows, base, ranges)


def _sift(rows: Iterable[Row], base: int, ranges: Sequence[UidRange]) -> list[Row]:
    kept: list[Row] = []
    position = 0
    first, last = base + ranges[0][0], base + ranges[0][1]
    for row in rows:
        while row[0] > last and position + 1 < len(ranges):
            position += 1
            first, last = base + ranges[position][0], base + ranges[position][1]
        if first <= row[0] <= last:
            kept.append(row)
    return kept


def merge_ranges(ranges: Iterable[UidRange]) -> list[UidRange]:
    """Return the same UIDs as ascending, disjoint ranges."""
    merged: list[UidRange] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def subtract_ranges(ranges: Iterable[UidRange], gone: Sequence[UidRange]) -> list[UidRange]:
    """Return the UIDs of `ranges` that are not in `gone`; both ascending and disjoint."""
    left: list[UidRange] = []
    position = 0
    for first, last in ranges:
        start = first
        while position < len(gone) and gone[position][1] < start:
            position += 1
        index = position
        while index < len(gone) and gone[index][0] <= last:
            if gone[index][0] > start:
                left.append((start, gone[index][0] - 1))
            start = gone[index][1] + 1
            index += 1
        if start <= last:
            left.append((start, last))
    return left
