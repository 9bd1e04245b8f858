"""THREAD and UID THREAD (RFC 5256 §3), and the response that tells a forest of messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.search import parse_charset, parse_criteria
from freehold.protocols.imap.search_keys import SearchKey
from freehold.protocols.imap.states import MAILBOX_OPEN

THREADS_PER_CHUNK = 512
"""How many top-level threads of a long response are written at a time."""

_END = 0
"""Among numbers that wait to be written: the end of a thread."""


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


@dataclass(frozen=True, slots=True)
class Threads:
    """Messages by number, put together: the first one of each thread, and what follows a message directly.

    A negative number stands for a parent that is not there. Only numbers that something follows are among
    the keys of `children`.
    """

    roots: Sequence[int]
    children: Mapping[int, Sequence[int]]


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


def thread_chunks(threads: Threads) -> Iterator[bytes]:
    """Write one THREAD response in pieces (RFC 5256 §4)."""
    yield b"* THREAD " if threads.roots else b"* THREAD"
    for start in range(0, len(threads.roots), THREADS_PER_CHUNK):
        yield _members(threads.roots[start : start + THREADS_PER_CHUNK], threads.children)
    yield b"\r\n"


def _members(roots: Sequence[int], children: Mapping[int, Sequence[int]]) -> bytes:
    """Write threads; they may be as deep as there are messages, so nothing recurses."""
    form: list[bytes] = []
    told: list[int] = []
    waiting = list(reversed(roots))
    while waiting:
        number = waiting.pop()
        below = children.get(number)
        if number == _END:
            form.append(b")")
        elif below is None:
            form.append(b"(%d)")
            told.append(number)
        else:
            form.append(b"(")
            while below is not None:
                if number > 0:
                    form.append(b"%d ")
                    told.append(number)
                if len(below) > 1:
                    waiting.append(_END)
                    waiting += reversed(below)
                    break
                number = below[0]
                below = children.get(number)
            else:
                form.append(b"%d)")
                told.append(number)
    return b"".join(form) % tuple(told)


COMMANDS = (
    CommandSpec(b"THREAD", Thread, parse_thread, MAILBOX_OPEN),
    CommandSpec(b"UID THREAD", Thread, parse_uid_thread, MAILBOX_OPEN),
)
