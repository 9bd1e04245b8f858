"""Whose turn it is to write: a lock between processes, by flock on a file beside the database.

The kernel wakes the next process when the lock is released or its holder dies, so nobody polls.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from freehold.storage.database import StorageError

POLL_SECONDS: Final = 0.05
FILE_MODE: Final = 0o600


class Turn:
    """One process's hold on the lock file; for one thread at a time."""

    __slots__ = ("_descriptor",)

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)

    def take(self) -> None:
        """Wait for the turn, without limit: a caller that may not wait guards itself by a timer."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def take_now(self) -> bool:
        """Take the turn if nobody has it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take_within(self, seconds: float) -> None:
        """Wait for the turn; raises StorageError when it is not given in time."""
        deadline = time.monotonic() + seconds
        while not self.take_now():
            if time.monotonic() >= deadline:
                raise StorageError("another process keeps the database locked, try again later")
            time.sleep(POLL_SECONDS)

    def give(self) -> None:
        """Let the next process write."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, which gives the turn back too."""
        os.close(self._descriptor)
