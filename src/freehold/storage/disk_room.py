"""Whether the disk has room for new messages: some is left for what makes room again.

A deletion is written to the database's log before it frees anything, so on a disk that is full to the last
octet nobody could delete. New contents are refused before that.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from freehold.storage.database import StorageError, StorageFullError

RESERVE_BYTES: Final = 64 << 20
"""What is left to everything but new contents: twice what SQLite's log holds before it is moved."""
RESERVE_SHARE: Final = 4
"""Of a disk of less than so many times the reserve, as large a part is left instead."""
LOOK_SECONDS: Final = 0.1


class DiskRoom:
    """Looks at the disk of a folder: ten times a second at most, and each time while there is no room."""

    __slots__ = ("_folder", "_has_room", "_looked", "_reusable_bytes")

    def __init__(self, folder: Path, reusable_bytes: Callable[[], int]) -> None:
        self._folder = folder
        self._reusable_bytes = reusable_bytes
        self._has_room = True
        self._looked = -LOOK_SECONDS

    def check(self) -> None:
        """Return if new contents may be taken. Raises StorageFullError."""
        if not self.has_room():
            raise StorageFullError

    def has_room(self) -> bool:
        """Tell whether new contents may be taken."""
        now = time.monotonic()
        if not self._has_room or now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._has_room = self._look()
        return self._has_room

    def _look(self) -> bool:
        """Tell whether there is room, on the disk or in what the database can use again."""
        try:
            disk = os.statvfs(self._folder)
            free = disk.f_bavail * disk.f_frsize
            reserve = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // RESERVE_SHARE)
            return free >= reserve or free + self._reusable_bytes() >= reserve
        except (OSError, StorageError):
            return True  # whoever writes there will say what is wrong
