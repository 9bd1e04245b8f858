"""Puts messages in the order of sort criteria (RFC 5256 §2.2, §3, RFC 5957 §3).

What was put in order before is remembered, for none of what messages are sorted by ever changes: new ones
are put in where they belong, and any part of a folder follows the order of the whole.
"""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.search.sort_rows import (
    in_turn,
    read_rows_of,
    read_rows_there,
    turn_of_many,
)
from freehold.modules.mail.imap.selected.known import KnownOrder
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap.sort import SortField, SortKey
from freehold.storage.database import Row

SORTED_IN_LOOP: Final = 20_000
"""More are sorted off the loop's thread."""
KNOWN_FOR_EACH_NEW: Final = 1000
"""Messages in order for each one that is put in; where there are fewer, sorting all again is quicker."""
KNOWN_FOR_EACH_WANTED: Final = 20
"""Where more are in order for each one that is wanted, sorting these by themselves is quicker."""
MS_PER_SECOND: Final = 1000

_COLUMNS: Final[dict[SortField, tuple[str, ...]]] = {
    SortField.ARRIVAL: ("internal_ms",),
    SortField.CC: ("cc_key",),
    SortField.DATE: ("sent_ms", "internal_ms"),
    SortField.DISPLAYFROM: ("display_from",),
    SortField.DISPLAYTO: ("display_to",),
    SortField.FROM: ("from_key",),
    SortField.SIZE: ("size_bytes",),
    SortField.SUBJECT: ("base_subject",),
    SortField.TO: ("to_key",),
}

Column = Sequence[int] | Sequence[str]


async def sort_messages(
    conversation: Conversation, view: View, uids: Sequence[int], order: Sequence[SortKey]
) -> Sequence[int]:
    """Return the indexes of ascending `uids` in the order of the criteria; equals stay as they are.

    Texts are compared in the form of i;unicode-casemap. A message that is gone sorts as an empty one.

    Raises:
        TooManyToSortError: more messages than `MAX_SORTED_MESSAGES` would have to be sorted.
    """
    order = _without_idle(order)
    orders, key = conversation.context.known.orders, ((view.folder_id, view.uid_validity), order)
    wanted = array("I", uids)
    known = orders.find(key)
    if known is not None and known.uids == wanted:
        return known.indexes
    sorter = _Sorter(conversation, view, order)
    has_all = len(wanted) == len(view.uids)
    if known is not None and not has_all and len(wanted) * KNOWN_FOR_EACH_WANTED < len(known.uids):
        return await sorter.sort(wanted)
    whole = None if known is None else await sorter.add(known, wanted)
    if whole is None:
        whole = KnownOrder(wanted, await sorter.sort(wanted))
    indexes = await _part(whole, wanted)
    if has_all:
        whole = KnownOrder(wanted, indexes)
    orders.keep(key, whole, 2 * len(whole.uids) * wanted.itemsize)
    return indexes


def _without_idle(order: Sequence[SortKey]) -> tuple[SortKey, ...]:
    """Return the criteria without those that decide nothing: what is equal by a field stays so."""
    first = {key.field: key for key in reversed(order)}
    return tuple(key for key in dict.fromkeys(order) if first[key.field] == key)


async def _part(known: KnownOrder, wanted: "array[int]") -> "array[int]":
    """Return the indexes of some UIDs in a known order, which knows all of them."""

    def pick() -> "array[int]":
        place_of = dict(zip(wanted, range(len(wanted)), strict=True))
        places = list(map(place_of.get, known.uids))
        return array("I", [place for index in known.indexes if (place := places[index]) is not None])

    return known.indexes if known.uids == wanted else await in_turn(len(known.uids), SORTED_IN_LOOP, pick)


@dataclass(frozen=True, slots=True)
class _Sorter:
    """Sorts messages of a view by some criteria."""

    conversation: Conversation
    view: View
    order: tuple[SortKey, ...]

    async def sort(self, uids: "array[int]") -> "array[int]":
        """Return the indexes of ascending UIDs in order."""
        async with turn_of_many(self.conversation, len(uids)):
            rows = await read_rows_of(self.conversation, self.view, uids, self._names)
            return await in_turn(len(rows), SORTED_IN_LOOP, lambda: _sorted(len(rows), self._columns(rows)))

    async def add(self, known: KnownOrder, wanted: "array[int]") -> KnownOrder | None:
        """Return the order of what is known and wanted; None: it is to be found anew.

        Of known messages only those are read with which new ones are compared, few for each.
        """
        new = await in_turn(len(wanted), SORTED_IN_LOOP, lambda: sorted(set(wanted).difference(known.uids)))
        if len(new) * KNOWN_FOR_EACH_NEW > len(known.uids):
            return None
        uids, indexes = known.uids + array("I", new), known.indexes[:]
        for index in range(len(known.uids), len(uids)):
            position = await self._position(uids, indexes, uids[index])
            if position is None:
                return None
            indexes.insert(position, index)
            await asyncio.sleep(0)
        return KnownOrder(uids, indexes)

    async def _position(self, uids: "array[int]", indexes: "array[int]", uid: int) -> int | None:
        """Return where a message belongs; None: it is gone, or one that it is compared with."""
        row = await self._row(uid)
        low, high = 0, len(indexes)
        while low < high:
            middle = (low + high) // 2
            other = await self._row(uids[indexes[middle]])
            if row is None or other is None:
                return None
            if self._is_before(row, other):
                high = middle
            else:
                low = middle + 1
        return low

    async def _row(self, uid: int) -> Row | None:
        rows = await read_rows_there(self.conversation, self.view, (uid,), self._names)
        return rows[0] if rows else None

    def _is_before(self, row: Row, other: Row) -> bool:
        pair = [row, other] if row[0] < other[0] else [other, row]
        return pair[_sorted(2, self._columns(pair))[0]] is row

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(_COLUMNS[key.field] for key in self.order)))

    def _columns(self, rows: Sequence[Row]) -> list[tuple[Column, bool]]:
        names = ("uid", *self._names)
        return [(_column(rows, key.field, names), key.reverse) for key in self.order]


def _column(rows: Sequence[Row], field: SortField, names: Sequence[str]) -> Column:
    place = names.index(_COLUMNS[field][0])
    match field:
        case SortField.ARRIVAL:
            return [row[place] // MS_PER_SECOND for row in rows]  # as FETCH tells it
        case SortField.DATE:
            return _sent_moments(rows, place, names.index("internal_ms"))
        case _:
            return [row[place] for row in rows]


def _sent_moments(rows: Sequence[Row], sent: int, internal: int) -> list[int]:
    """Return when messages were sent; INTERNALDATE counts where no date is (RFC 5256 §2.2).

    `sent` and `internal` are the columns of both.
    """
    return [row[internal] if row[sent] is None else row[sent] for row in rows]


def _sorted(count: int, columns: Sequence[tuple[Column, bool]]) -> "array[int]":
    """Sort by the last criterion first: each sort keeps what those after it have decided."""
    indexes = list(range(count))
    for column, reverse in reversed(columns):
        indexes.sort(key=column.__getitem__, reverse=reverse)
    return array("I", indexes)
