"""Threads by who answers whom: the algorithm REFERENCES, and REFS (RFC 5256 §3).

Nothing recurses, and hostile chains of references cost no more than time proportional to their length.
"""

from collections.abc import Sequence

from freehold.modules.mail.imap.thread.rows import NO_ID, NO_SUBJECT, ThreadRows
from freehold.protocols.imap.thread import Threads

STEPS_PER_MESSAGE = 100
"""How far, on average, parents are followed to see whether a link would close a loop.

Beyond that, which only messages made to that end reach, a link is taken for one that does.
"""

NONE = -1

Children = dict[int, list[int]]
"""What follows each message directly; a parent that is not there has a negative number."""


def thread_by_references(rows: ThreadRows) -> Threads:
    """Return the threads of messages, those of one subject put together."""
    order = rows.by_date()
    roots, children = _plant(rows, order)
    return _merge_subjects(roots, children, rows, order)


def thread_by_references_only(rows: ThreadRows) -> Threads:
    """Return the threads regardless of subjects, the one with the newest message last, as Dovecot does."""
    order = rows.by_date()
    roots, children = _plant(rows, order)
    sent = dict(zip(rows.numbers, rows.sent_ms, strict=True))

    def newest(root: int) -> int:
        found = [root]
        for number in found:
            if number in children:
                found += children[number]
        return max(map(sent.__getitem__, found if root > 0 else found[1:]))

    keys = [newest(root) if root in children else sent[root] for root in roots]
    ordered = sorted(zip(keys, (max(root, 0) for root in roots), range(len(roots)), strict=True))
    return Threads([roots[place] for _, _, place in ordered], children)


class _Links:
    """Who is whose parent, among all messages that are there or are named (step 1), by places.

    The place of an id is its number; messages without an id that is theirs alone have places behind those.
    `there` has the index of the message at a place, and `places` the place of each message.
    """

    __slots__ = ("_steps", "parents", "places", "there")

    def __init__(self, rows: ThreadRows) -> None:
        self.parents = [NONE] * rows.id_count
        self.there = [NONE] * rows.id_count
        self.places: list[int] = []
        self._steps = STEPS_PER_MESSAGE * len(rows.ids)
        self._link(rows)

    def _link(self, rows: ThreadRows) -> None:
        """Make each id the parent of the next one that a message names, and the last one its own.

        What has a parent keeps it, unless it is the message itself; no link closes a loop.
        """
        parents, there = self.parents, self.there
        has_child = bytearray(rows.id_count + len(rows.ids))
        for index, (place, named) in enumerate(zip(rows.ids, rows.references, strict=True)):
            if place == NO_ID or there[place] != NONE:
                place = len(there)  # noqa: PLW2901 (one of its own)
                parents.append(NONE)
                there.append(NONE)
            there[place] = index
            self.places.append(place)
            last = NONE
            for reference in named:
                if (
                    last != NONE
                    and parents[reference] == NONE
                    and last != reference
                    and not (has_child[reference] and self._is_below(last, reference))
                ):
                    parents[reference] = last
                    has_child[last] = 1
                last = reference
            parents[place] = NONE
            if last not in {NONE, place} and not (has_child[place] and self._is_below(last, place)):
                parents[place] = last
                has_child[last] = 1

    def _is_below(self, place: int, ancestor: int) -> bool:
        while (place := self.parents[place]) != NONE:
            self._steps -= 1
            if place == ancestor or self._steps < 0:
                return True
        return False


def _plant(rows: ThreadRows, order: Sequence[int]) -> tuple[list[int], Children]:
    """Return the threads of steps 1 to 4, ordered by date, like all children in them.

    A parent that is not there is left out, unless it holds several threads together.
    """
    links = _Links(rows)
    parents, there, places = links.parents, links.there, links.places
    numbers = rows.numbers
    children: Children = {}
    holders: dict[int, int] = {}
    roots: list[int] = []
    for index in order:
        parent = parents[places[index]]
        if parent == NONE:
            roots.append(numbers[index])
            continue
        above = there[parent]
        if above != NONE:
            holder = numbers[above]
        else:
            holder = holders.get(parent) or _holder(parent, links, numbers, holders)
        if holder < 0 and holder not in children:
            roots.append(holder)
        children.setdefault(holder, []).append(numbers[index])
    return [
        children.pop(root)[0] if root < 0 and len(children[root]) == 1 else root for root in roots
    ], children


def _holder(place: int, links: _Links, numbers: Sequence[int], holders: dict[int, int]) -> int:
    """Return what holds the children of a place without a message (step 3).

    That is the nearest ancestor that is there, else the topmost one, whose place is told as a negative
    number. `holders` are those that were found before.
    """
    path: list[int] = []
    while place not in holders:
        path.append(place)
        parent = links.parents[place]
        if parent == NONE:
            holders[place] = -place
        elif links.there[parent] != NONE:
            holders[place] = numbers[links.there[parent]]
        else:
            place = parent
    holder = holders[place]
    holders.update(dict.fromkeys(path, holder))
    return holder


def _merge_subjects(
    roots: Sequence[int], children: Children, rows: ThreadRows, order: Sequence[int]
) -> Threads:
    """Put threads of one subject together (step 5), and order everything by date anew (step 6)."""
    rank = dict(zip(map(rows.numbers.__getitem__, order), range(len(order)), strict=True))

    def rank_of(thread: int) -> int:
        return rank[thread if thread > 0 else children[thread][0]]

    indexes = [order[rank_of(root)] for root in roots]
    table = _subject_table(roots, indexes, rows)
    kept: list[int] = []
    changed: set[int] = set()
    dummies: dict[int, int] = {}
    lowest = min(children, default=0)
    for root, index in zip(roots, indexes, strict=True):
        first, first_is_reply = table.get(rows.subjects[index], (root, 0))
        if first == root:
            kept.append(root)
            continue
        thread = dummies.get(first, first)
        changed.add(thread)
        if thread < 0:
            children[thread] += children.pop(root) if root < 0 else [root]
        elif rows.is_reply[index] and not first_is_reply:
            children.setdefault(thread, []).append(root)
        else:  # neither answers the other: both go under a parent that is not there
            dummies[first] = lowest = min(lowest, 0) - 1
            children[lowest] = [thread, root]
            changed.add(lowest)
    for thread in changed & children.keys():
        children[thread].sort(key=rank_of)
    if changed:
        kept = sorted([dummies.get(root, root) for root in kept], key=rank_of)
    return Threads(kept, children)


def _subject_table(
    roots: Sequence[int], indexes: Sequence[int], rows: ThreadRows
) -> dict[int, tuple[int, int]]:
    """Return the thread that stands for each subject: at best a dummy, at second best no reply.

    `indexes` are those of the threads' first messages; whether that is a reply is told with the thread.
    """
    table: dict[int, tuple[int, int]] = {}
    for root, index in zip(roots, indexes, strict=True):
        subject, is_reply = rows.subjects[index], rows.is_reply[index]
        if subject == NO_SUBJECT:
            continue
        known, known_is_reply = table.setdefault(subject, (root, is_reply))
        if known > 0 and (root < 0 or (known_is_reply and not is_reply)):
            table[subject] = root, is_reply
    return table
