"""THREAD and UID THREAD (RFC 5256 §3), and the response that tells a forest of messages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.search import parse_charset, parse_criteria
from freehold.protocols.imap.search_keys import SearchKey
from freehold.protocols.imap.states import MAILBOX_OPEN

THREADS_PER_CHUNK = 512
"""How many top-level threads of a long response are written at a time."""


class ThreadAlgorithm(Enum):
    """How messages are put together; the value is the word on the wire."""

    ORDEREDSUBJECT = b"ORDEREDSUBJECT"
    REFERENCES = b"REFERENCES"
    REFS = b"REFS"


_ALGORITHMS = {algorithm.value: algorithm for algorithm in ThreadAlgorithm}


@dataclass(frozen=True, slots=True)
class Thread(Command):
    """THREAD, or UID THREAD if `uid`."""

    uid: bool
    algorithm: ThreadAlgorithm
    key: SearchKey


class ThreadNode(msgspec.Struct, gc=False):
    """A message and what follows it; `number` 0 stands for a parent that is not there.

    Nodes make trees and no cycles, so the garbage collector need not look at them.
    """

    number: int
    children: "list[ThreadNode]" = []


def parse_thread(tag: bytes, cursor: Cursor) -> Thread:
    """Read THREAD's arguments."""
    return _parse(tag, cursor, uid=False)


def parse_uid_thread(tag: bytes, cursor: Cursor) -> Thread:
    """Read UID THREAD's arguments."""
    return _parse(tag, cursor, uid=True)


def _parse(tag: bytes, cursor: Cursor, *, uid: bool) -> Thread:
    cursor.space()
    algorithm = _ALGORITHMS.get(cursor.word("a threading algorithm"))
    if algorithm is None:
        raise CommandError("unknown threading algorithm")
    cursor.space()
    return Thread(tag, uid, algorithm, parse_criteria(cursor, parse_charset(cursor)).key)


def thread_chunks(threads: Sequence[ThreadNode]) -> Iterator[bytes]:
    """Write one THREAD response in pieces (RFC 5256 §4)."""
    yield b"* THREAD " if threads else b"* THREAD"
    for start in range(0, len(threads), THREADS_PER_CHUNK):
        yield b"".join(_members(threads[start : start + THREADS_PER_CHUNK]))
    yield b"\r\n"


def _members(threads: Sequence[ThreadNode]) -> Iterator[bytes]:
    """Yield the pieces of threads; threads may be as deep as there are messages, so nothing recurses."""
    waiting: list[ThreadNode | bytes] = []
    for thread in reversed(threads):
        waiting += (b")", thread, b"(")
    while waiting:
        each = waiting.pop()
        if isinstance(each, bytes):
            yield each
            continue
        if each.number:
            yield b"%d" % each.number
        children = each.children
        if children and each.number:
            yield b" "
        if len(children) == 1:
            waiting.append(children[0])
            continue
        for child in reversed(children):
            waiting += (b")", child, b"(")


COMMANDS = (
    CommandSpec(b"THREAD", Thread, parse_thread, MAILBOX_OPEN),
    CommandSpec(b"UID THREAD", Thread, parse_uid_thread, MAILBOX_OPEN),
)
