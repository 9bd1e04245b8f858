"""Threads by who answers whom: the algorithm REFERENCES, and REFS (RFC 5256 §3).

Nothing recurses, and hostile chains of references cost no more than time proportional to their length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freehold.modules.mail.imap.thread.rows import ThreadRow
from freehold.protocols.imap.thread import ThreadNode

STEPS_PER_MESSAGE = 100
"""How far, on average, parents are followed to see whether a link would close a loop.

Beyond that, which only messages made to that end reach, a link is taken for one that does.
"""

NONE = -1


def thread_by_references(rows: Sequence[ThreadRow]) -> list[ThreadNode]:
    """Return the threads of messages (ascending by number), those of one subject put together."""
    return _merge_subjects(_plant(rows), {row.number: row for row in rows})


def thread_by_references_only(rows: Sequence[ThreadRow]) -> list[ThreadNode]:
    """Return the threads regardless of subjects, the one with the newest message last, as Dovecot does."""
    roots = _plant(rows)
    when = {row.number: row.sent_ms for row in rows}
    newest = {id(root): max(when[node.number] for node in _walk(root) if node.number) for root in roots}
    return sorted(roots, key=lambda root: (newest[id(root)], root.number))


def _walk(root: ThreadNode) -> Sequence[ThreadNode]:
    found = [root]
    for node in found:
        found += node.children
    return found


class _Links:
    """Who is whose parent, among all messages that are there or are named (step 1)."""

    __slots__ = ("_has_child", "_places", "_steps", "parents", "rows")

    def __init__(self, steps: int) -> None:
        self.parents: list[int] = []
        self.rows: list[int] = []
        self._has_child = bytearray()
        self._places: dict[str, int] = {}
        self._steps = steps

    def named(self, message_id: str) -> int:
        """Return the place of an id."""
        place = self._places.get(message_id)
        if place is None:
            place = self._places[message_id] = self._add()
        return place

    def message(self, message_id: str, row: int) -> int:
        """Return the place of a message; one without an id of its own gets a place of its own."""
        place = self.named(message_id) if message_id else self._add()
        if self.rows[place] != NONE:
            place = self._add()
        self.rows[place] = row
        return place

    def link(self, parent: int, child: int) -> None:
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

    def _add(self) -> int:
        self.parents.append(NONE)
        self.rows.append(NONE)
        self._has_child.append(0)
        return len(self.parents) - 1


def _link_all(rows: Sequence[ThreadRow]) -> _Links:
    links = _Links(STEPS_PER_MESSAGE * len(rows))
    parents = links.parents
    for index, row in enumerate(rows):
        place = links.message(row.message_id, index)
        last = NONE
        for reference in row.references.split():
            named = links.named(reference)
            if last != NONE and parents[named] == NONE:
                links.link(last, named)
            last = named
        parents[place] = NONE
        if last != NONE:
            links.link(last, place)
    return links


def _plant(rows: Sequence[ThreadRow]) -> list[ThreadNode]:
    """Return the threads of steps 1 to 4, ordered by date, like all children in them.

    A parent that is not there is left out, unless it holds several threads together.
    """
    links = _link_all(rows)
    above = _nearest(links)
    nodes: list[ThreadNode | None] = [None] * len(above)
    places = [NONE] * len(rows)
    for place, row in enumerate(links.rows):
        if row != NONE:
            places[row] = place
            nodes[place] = ThreadNode(rows[row].number)
    roots: list[ThreadNode] = []
    moments = [row.sent_ms for row in rows]
    for index in sorted(range(len(rows)), key=moments.__getitem__):
        place = places[index]
        node, parent = nodes[place], above[place]
        assert node is not None
        if parent == NONE:
            roots.append(node)
            continue
        holder = nodes[parent]
        if holder is None:
            holder = nodes[parent] = ThreadNode(0)
            roots.append(holder)
        holder.children.append(node)
    return [root.children[0] if not root.number and len(root.children) == 1 else root for root in roots]


def _nearest(links: _Links) -> list[int]:
    """Return for each place its nearest ancestor that is there, else its topmost one, or NONE (step 3)."""
    parents, rows = links.parents, links.rows
    nearest: list[int | None] = [None] * len(parents)
    for start in range(len(parents)):
        path: list[int] = []
        place = start
        while nearest[place] is None:
            parent = parents[place]
            path.append(place)
            if parent == NONE or rows[parent] != NONE:
                nearest[place] = parent
                break
            place = parent
        for below in reversed(path):
            if nearest[below] is None:
                parent = parents[below]
                known = nearest[parent]
                nearest[below] = parent if known == NONE or known is None else known
    return [NONE if each is None else each for each in nearest]


@dataclass(slots=True)
class _Entry:
    """The thread that stands for a subject so far; `is_reply` of its first message."""

    thread: ThreadNode
    is_reply: bool | int


def _merge_subjects(roots: list[ThreadNode], rows: dict[int, ThreadRow]) -> list[ThreadNode]:
    """Put threads of one subject together (step 5), and order everything by date anew (step 6)."""

    def first_of(thread: ThreadNode) -> ThreadRow:
        return rows[thread.number or thread.children[0].number]

    def date_of(thread: ThreadNode) -> tuple[int, int]:
        row = first_of(thread)
        return row.sent_ms, row.number

    table = _subject_table(roots, first_of)
    kept: list[ThreadNode] = []
    changed: dict[int, ThreadNode] = {}
    for root in roots:
        row = first_of(root)
        entry = table.get(row.subject)
        if entry is None or entry.thread is root:
            kept.append(root)
            continue
        thread = entry.thread
        changed[id(thread)] = thread
        if not thread.number:
            thread.children += root.children if not root.number else [root]
        elif row.is_reply and not entry.is_reply:
            thread.children.append(root)
        else:  # neither answers the other: both go under a parent that is not there
            first = ThreadNode(thread.number, thread.children)
            changed[id(first)] = first
            thread.children = [first, root]
            thread.number = 0
    for thread in changed.values():
        thread.children.sort(key=date_of)
    return sorted(kept, key=date_of)


def _subject_table(
    roots: Sequence[ThreadNode], first_of: Callable[[ThreadNode], ThreadRow]
) -> dict[str, _Entry]:
    """Return the thread that stands for each subject: at best a dummy, at second best no reply."""
    table: dict[str, _Entry] = {}
    for root in roots:
        row = first_of(root)
        entry = table.get(row.subject)
        if not row.subject:
            continue
        if entry is None or (
            entry.thread.number and (not root.number or (entry.is_reply and not row.is_reply))
        ):
            table[row.subject] = _Entry(root, row.is_reply)
    return table
