"""What the IMAP sessions of a process remember together; see docs/decisions/0017-remembered-answers.md.

All of it follows from what is stored, so it may be forgotten at any time. It is found by folder only after
the right to read that folder was checked.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from freehold.modules.mail.imap.selected.folder_state import FolderState
from freehold.modules.mail.imap.selected.known_rows import KnownRows
from freehold.modules.mail.imap.selected.recollection import Recollection
from freehold.protocols.imap.sort import SortKey
from freehold.protocols.imap.thread import ThreadAlgorithm

FOLDERS_BYTES: Final = 2 * 1024 * 1024
THREAD_ROWS_BYTES: Final = 8 * 1024 * 1024
ORDERS_BYTES: Final = 4 * 1024 * 1024
THREADS_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """UIDs, and their indexes as SORT ordered them; no criterion of a message ever changes."""

    uids: "array[int]"
    indexes: "array[int]"


@dataclass(frozen=True, slots=True)
class KnownThreads:
    """A THREAD response in pieces, for these UIDs and what they were told as."""

    uids: "array[int]"
    numbers: Sequence[int]
    pieces: Sequence[bytes]


FolderKey = tuple[int, int]
"""A folder's id and its UIDVALIDITY, which no other folder ever has."""


@dataclass(frozen=True, slots=True)
class Known:
    """By folder: what SELECT found, SORT ordered by which criteria, THREAD read, and what it answered."""

    folders: Recollection[int, FolderState] = field(default_factory=lambda: Recollection(FOLDERS_BYTES))
    orders: Recollection[tuple[FolderKey, tuple[SortKey, ...]], KnownOrder] = field(
        default_factory=lambda: Recollection(ORDERS_BYTES)
    )
    thread_rows: Recollection[tuple[FolderKey, tuple[str, ...]], KnownRows] = field(
        default_factory=lambda: Recollection(THREAD_ROWS_BYTES)
    )
    threads: Recollection[tuple[FolderKey, ThreadAlgorithm, bool], KnownThreads] = field(
        default_factory=lambda: Recollection(THREADS_BYTES)
    )
