"""Threads by who answers whom: the algorithm REFERENCES, and REFS (RFC 5256 §3).

Nothing recurses, and hostile chains of references cost no more than time proportional to their length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freehold.modules.mail.imap.thread.rows import NO_ID, NO_SUBJECT, ThreadRows
from freehold.protocols.imap.thread import ThreadNode

STEPS_PER_MESSAGE = 100
"""How far, on average, parents are followed to see whether a link would close a loop.

Beyond that, which only messages made to that end reach, a link is taken for one that does.
"""

NONE = -1


def thread_by_references(rows: ThreadRows) -> list[ThreadNode]:
    """Return the threads of messages, those of one subject put together."""
    order = rows.by_date()
    return _merge_subjects(_plant(rows, order), rows, order)


def thread_by_references_only(rows: ThreadRows) -> list[ThreadNode]:
    """Return the threads regardless of subjects, the one with the newest message last, as Dovecot does."""
    order = rows.by_date()
    roots = _plant(rows, order)
    when = dict(zip(map(rows.numbers.__getitem__, order), map(rows.sent_ms.__getitem__, order), strict=True))
    newest = [when[root.number] if not root.children else _newest(root, when) for root in roots]
    places = sorted(range(len(roots)), key=lambda place: (newest[place], roots[place].number))
    return [roots[place] for place in places]


def _newest(root: ThreadNode, when: dict[int, int]) -> int:
    found = [root]
    for node in found:
        if node.children:
            found += node.children
    return max([when[node.number] for node in found if node.number])


class _Links:
    """Who is whose parent, among all messages that are there or are named (step 1), by places.

    The place of an id is its number; messages without an id that is theirs alone have places behind those.
    `rows` has the index of the message at a place, and `places` the place of each message.
    """

    __slots__ = ("_has_child", "_steps", "parents", "places", "rows")

    def __init__(self, rows: ThreadRows) -> None:
        self.parents = [NONE] * rows.id_count
        self.rows = [NONE] * rows.id_count
        self.places: list[int] = []
        self._has_child = bytearray(rows.id_count)
        self._steps = STEPS_PER_MESSAGE * len(rows.ids)
        for message_id, named in zip(rows.ids, rows.references, strict=True):
            self._take(message_id, named)

    def _take(self, message_id: int, named: Sequence[int]) -> None:
        place, parents = self._place(message_id), self.parents
        last = NONE
        for reference in named:
            if last != NONE and parents[reference] == NONE:
                self._link(last, reference)
            last = reference
        parents[place] = NONE
        if last != NONE:
            self._link(last, place)

    def _place(self, message_id: int) -> int:
        """Return the place of the next message; one without an id of its own gets a place of its own."""
        place = message_id
        if place == NO_ID or self.rows[place] != NONE:
            place = len(self.rows)
            self.parents.append(NONE)
            self.rows.append(NONE)
            self._has_child.append(0)
        self.rows[place] = len(self.places)
        self.places.append(place)
        return place

    def _link(self, parent: int, child: int) -> None:
        """Make a child of one that has no parent, unless that closes a loop."""
        if parent == child or (self._has_child[child] and self._is_below(parent, child)):
            return
        self.parents[child] = parent
        self._has_child[parent] = 1

    def _is_below(self, place: int, ancestor: int) -> bool:
        while (place := self.parents[place]) != NONE:
            self._steps -= 1
            if place == ancestor or self._steps < 0:
                return True
        return False


def _plant(rows: ThreadRows, order: Sequence[int]) -> list[ThreadNode]:
    """Return the threads of steps 1 to 4, ordered by date, like all children in them.

    A parent that is not there is left out, unless it holds several threads together.
    """
    links = _Links(rows)
    nodes = list(map(ThreadNode, rows.numbers))
    dummies: dict[int, ThreadNode] = {}
    nearest: dict[int, int] = {}
    roots: list[ThreadNode] = []
    for index in order:
        parent = links.parents[links.places[index]]
        if parent != NONE and links.rows[parent] == NONE:
            parent = _nearest(links, parent, nearest)
        if parent == NONE:
            roots.append(nodes[index])
            continue
        row = links.rows[parent]
        if row != NONE:
            nodes[row].children.append(nodes[index])
            continue
        if parent not in dummies:
            dummies[parent] = ThreadNode(0)
            roots.append(dummies[parent])
        dummies[parent].children.append(nodes[index])
    return [root.children[0] if not root.number and len(root.children) == 1 else root for root in roots]


def _nearest(links: _Links, place: int, nearest: dict[int, int]) -> int:
    """Return the nearest ancestor that is there, else the topmost one, of a place without a message (step 3).

    `nearest` holds what was found before.
    """
    path: list[int] = []
    while place not in nearest:
        path.append(place)
        parent = links.parents[place]
        if parent == NONE or links.rows[parent] != NONE:
            nearest[place] = place if parent == NONE else parent
        else:
            place = parent
    found = nearest[place]
    nearest.update(dict.fromkeys(path, found))
    return found


@dataclass(slots=True)
class _Entry:
    """The thread that stands for a subject so far; `is_reply` of its first message."""

    thread: ThreadNode
    is_reply: int


def _merge_subjects(roots: list[ThreadNode], rows: ThreadRows, order: Sequence[int]) -> list[ThreadNode]:
    """Put threads of one subject together (step 5), and order everything by date anew (step 6)."""
    index_of = dict(zip(rows.numbers, range(len(order)), strict=True))

    def first_of(thread: ThreadNode) -> int:
        return index_of[thread.number or thread.children[0].number]

    def date_of(thread: ThreadNode) -> tuple[int, int]:
        index = first_of(thread)
        return rows.sent_ms[index], index

    table = _subject_table(roots, rows, first_of)
    kept: list[ThreadNode] = []
    changed: dict[int, ThreadNode] = {}
    for root in roots:
        index = first_of(root)
        entry = table.get(rows.subjects[index])
        if entry is None or entry.thread is root:
            kept.append(root)
            continue
        thread = entry.thread
        changed[id(thread)] = thread
        if not thread.number:
            thread.children += root.children if not root.number else [root]
        elif rows.is_reply[index] and not entry.is_reply:
            thread.children.append(root)
        else:  # neither answers the other: both go under a parent that is not there
            first = ThreadNode(thread.number, thread.children)
            changed[id(first)] = first
            thread.children = [first, root]
            thread.number = 0
    for thread in changed.values():
        thread.children.sort(key=date_of)
    return sorted(kept, key=date_of) if changed else kept


def _subject_table(
    roots: Sequence[ThreadNode], rows: ThreadRows, first_of: Callable[[ThreadNode], int]
) -> dict[int, _Entry]:
    """Return the thread that stands for each subject: at best a dummy, at second best no reply."""
    table: dict[int, _Entry] = {}
    for root in roots:
        index = first_of(root)
        subject, is_reply = rows.subjects[index], rows.is_reply[index]
        if subject == NO_SUBJECT:
            continue
        entry = table.get(subject)
        if entry is None or (entry.thread.number and (not root.number or (entry.is_reply and not is_reply))):
            table[subject] = _Entry(root, is_reply)
    return table
