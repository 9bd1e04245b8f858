"""Threading, against a transcription of RFC 5256 §3 that goes step by step and is in no hurry."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.modules.mail.imap.selected.known_rows import NO_ROWS
from freehold.modules.mail.imap.thread.references import thread_by_references, thread_by_references_only
from freehold.modules.mail.imap.thread.rows import ThreadRows, rows_of
from freehold.modules.mail.imap.thread.subjects import thread_by_subject
from freehold.protocols.imap.thread import Threads, thread_chunks


class ThreadRow(NamedTuple):
    """A message: whom it answers, what it is about."""

    number: int
    sent_ms: int
    message_id: str
    references: str
    subject: str
    is_reply: bool


def threaded(algorithm: Callable[[ThreadRows], Threads], rows: list[ThreadRow], *, known: int = 0) -> Threads:
    """Thread messages, of which the last `known` ones were known before the others."""
    read = [
        (row.number, 7, row.sent_ms, row.subject, row.is_reply, row.message_id, row.references)
        for row in rows
    ]
    both = NO_ROWS.and_rows(read[len(read) - known :]).and_rows(read[: len(read) - known])
    numbers = array("I", [row.number for row in rows])
    return algorithm(rows_of(both, numbers, numbers))


@dataclass(eq=False)
class Plain:
    """A message of the transcription: `row` is None for a dummy."""

    row: ThreadRow | None = None
    parent: "Plain | None" = None
    children: "list[Plain]" = field(default_factory=list)

    def is_in(self, other: "Plain") -> bool:
        node: Plain | None = self
        while node is not None:
            if node is other:
                return True
            node = node.parent
        return False

    def put_under(self, parent: "Plain") -> None:
        if not parent.is_in(self):
            self.parent = parent
            parent.children.append(self)

    def leave(self) -> None:
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent = None


def when(node: Plain) -> tuple[int, int]:
    row = node.row if node.row is not None else min(node.children, key=when).row
    assert row is not None
    return row.sent_ms, row.number


def naive(rows: list[ThreadRow]) -> list[Plain]:
    root = gather(rows)
    for child in list(root.children):
        prune(child, top=True)
    root.children.sort(key=when)
    merge(root)
    sort_all(root)
    return root.children


def gather(rows: list[ThreadRow]) -> Plain:
    """Steps 1 and 2."""
    by_id: dict[str, Plain] = {}
    every: list[Plain] = []

    def named(message_id: str) -> Plain:
        if message_id not in by_id:
            by_id[message_id] = Plain()
            every.append(by_id[message_id])
        return by_id[message_id]

    for row in rows:
        here = named(row.message_id) if row.message_id else Plain()
        if here.row is not None or not row.message_id:
            here = Plain()
            every.append(here)
        here.row = row
        chain = [named(reference) for reference in row.references.split()]
        for parent, child in pairwise(chain):
            if child.parent is None:
                child.put_under(parent)
        here.leave()
        if chain:
            here.put_under(chain[-1])
    root = Plain()
    for node in every:
        if node.parent is None:
            node.put_under(root)
    return root


def prune(node: Plain, *, top: bool) -> None:
    """Step 3: a dummy goes, unless it stands at the top and holds several together."""
    for child in list(node.children):
        prune(child, top=False)
    if node.row is None and not (top and len(node.children) > 1):
        remove(node)


def remove(node: Plain) -> None:
    parent = node.parent
    assert parent is not None
    node.leave()
    for child in list(node.children):
        child.leave()
        child.put_under(parent)


def subject_of(node: Plain) -> ThreadRow:
    row = node.row if node.row is not None else min(node.children, key=when).row
    assert row is not None
    return row


def merge(root: Plain) -> None:
    """Step 5."""
    table: dict[str, Plain] = {}
    for node in root.children:
        row = subject_of(node)
        if not row.subject:
            continue
        known = table.get(row.subject)
        if known is None or (
            known.row is not None and (node.row is None or (known.row.is_reply and not row.is_reply))
        ):
            table[row.subject] = node
    for node in list(root.children):
        row = subject_of(node)
        known = table.get(row.subject)
        if known is None or known is node:
            continue
        node.leave()
        if known.row is None and node.row is None:
            for child in list(node.children):
                child.leave()
                child.put_under(known)
        elif known.row is None or (row.is_reply and not known.row.is_reply):
            node.put_under(known)
        else:
            dummy = Plain()
            known.leave()
            known.put_under(dummy)
            node.put_under(dummy)
            dummy.put_under(root)
            table[row.subject] = dummy


def sort_all(node: Plain) -> None:
    """Step 6."""
    for child in node.children:
        sort_all(child)
    node.children.sort(key=when)


Spelled = tuple[int, tuple[object, ...]]


def spelled(node: Plain) -> Spelled:
    return node.row.number if node.row else 0, tuple(spelled(child) for child in node.children)


def told(threads: Threads) -> list[Spelled]:
    def tree(number: int) -> Spelled:
        return max(number, 0), tuple(map(tree, threads.children.get(number, ())))

    return [tree(root) for root in threads.roots]


IDS = st.sampled_from(["", *"abcdefgh"])
ROWS = st.lists(
    st.tuples(
        st.integers(0, 5),
        IDS,
        st.lists(IDS.filter(bool), max_size=4).map(" ".join),
        st.sampled_from(["", "X", "Y"]),
        st.booleans(),
    ),
    max_size=9,
).map(lambda rows: [ThreadRow(number, *row) for number, row in enumerate(rows, 1)])


@settings(max_examples=1500, deadline=None)
@given(ROWS, st.integers(0, 9))
def test_references_are_threaded_as_the_transcription_does(rows: list[ThreadRow], known: int) -> None:
    threads = threaded(thread_by_references, rows, known=min(known, len(rows)))
    assert told(threads) == [spelled(node) for node in naive(rows)]


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_every_algorithm_tells_every_message_once(rows: list[ThreadRow]) -> None:
    for algorithm in (thread_by_references, thread_by_references_only, thread_by_subject):
        threads = threaded(algorithm, rows)
        numbers = [*threads.roots, *chain.from_iterable(threads.children.values())]
        assert sorted(number for number in numbers if number > 0) == [row.number for row in rows]
        assert all(threads.children[number] for number in numbers if number < 0)


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_subjects_are_threaded_by_sorting(rows: list[ThreadRow]) -> None:
    order = sorted(rows, key=lambda row: (row.sent_ms, row.number))
    subjects = list(dict.fromkeys(row.subject for row in order))
    expected = [[row.number for row in order if row.subject == subject] for subject in subjects]
    threads = threaded(thread_by_subject, rows)
    assert [[first, *threads.children.get(first, ())] for first in threads.roots] == expected


def test_refs_puts_the_thread_with_the_newest_message_last() -> None:
    rows = [
        ThreadRow(1, 10, "a", "", "X", False),
        ThreadRow(2, 20, "b", "", "X", False),
        ThreadRow(3, 30, "c", "a", "X", True),
    ]
    assert b"".join(thread_chunks(threaded(thread_by_references_only, rows))) == b"* THREAD (2)(1 3)\r\n"


def test_a_chain_of_a_hundred_thousand_messages_is_threaded_in_any_order() -> None:
    for step in (1, -1):
        rows = [
            ThreadRow(number, number, f"m{number}", f"m{number - step}", "", False)
            for number in range(1, 100_001)
        ]
        threads = threaded(thread_by_references, rows)
        assert len(threads.roots) == 1
        assert b"".join(thread_chunks(threads)).count(b" ") == 100_001


def test_references_made_to_have_parents_followed_for_ever_end() -> None:
    count = 3000
    rows = [
        ThreadRow(number, number, f"m{number}", f"m{number + 1}", "", False) for number in range(1, count)
    ]
    rows += [
        ThreadRow(count + number, number, f"n{number}", f"m1 m{count}", "", False)
        for number in range(1, count)
    ]
    rows += [
        ThreadRow(2 * count + number, number, "", f"m{number} m{count}", "", False)
        for number in range(1, count)
    ]
    assert sum(1 for _ in thread_chunks(threaded(thread_by_references, rows))) >= 2
