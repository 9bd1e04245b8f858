"""A temporary file that a large message grows in; what touches the disk is for a worker thread."""

import errno
import mmap
import os
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from freehold.storage.blob_view import map_content
from freehold.storage.database import StorageError, StorageFullError

INCOMING: Final = "incoming"
FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
KEY_BYTES: Final = 16
PIECES_AT_ONCE: Final = 1024  # the kernel's bound of one writev(2)

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def new_key() -> str:
    """Return a name that no other content has: 128 random bits in hexadecimal."""
    return secrets.token_hex(KEY_BYTES)


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn OSError into StorageFullError or StorageError."""
    try:
        yield
    except OSError as error:
        raise (StorageFullError if error.errno in _FULL else StorageError)() from error


def sync_folder(folder: Path) -> None:
    """Make a folder's names durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Spool:
    """One temporary file. `remove()` may be called from any thread at any time, also during a write."""

    __slots__ = ("__weakref__", "_busy", "_close", "_removed", "descriptor", "key", "path")

    def __init__(self, folder: Path) -> None:
        self.key = new_key()
        self.path = folder / self.key
        with file_errors():
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        self._close = weakref.finalize(self, os.close, self.descriptor)
        self._busy = threading.Lock()
        self._removed = False

    def append(self, chunks: Iterable[bytes]) -> None:
        """Write at the end; on an error the file is removed. Raises StorageFullError or StorageError."""
        with self._working(), file_errors():
            _write_all(self.descriptor, [memoryview(chunk) for chunk in chunks if chunk])

    def make_durable(self) -> None:
        """Sync the contents."""
        with self._working(), file_errors():
            os.fdatasync(self.descriptor)

    def move(self, target: Path) -> None:
        """Give the file its lasting name and make the name durable."""
        with self._working(), file_errors():
            try:
                self.path.rename(target)
            except FileNotFoundError:
                _make_folder(target.parent)
                self.path.rename(target)
            self.path = target
            sync_folder(target.parent)

    def unlink(self) -> None:
        """Remove the name; the contents stay readable through `map()` until this object goes."""
        with self._working(), suppress(FileNotFoundError), file_errors():
            self.path.unlink()

    def map(self) -> mmap.mmap:
        """Return the contents as memory; needs at least one byte."""
        with file_errors():
            return map_content(self.descriptor)

    def remove(self) -> None:
        """Close and remove the file, at once or when the write under way is over."""
        self._removed = True
        self._clean_up()

    @contextmanager
    def _working(self) -> Iterator[None]:
        failed = True
        try:
            with self._busy:
                if self._removed:
                    raise StorageError("the message was given up")
                yield
            failed = False
        finally:
            self._removed = self._removed or failed
            if self._removed:
                self._clean_up()

    def _clean_up(self) -> None:
        if self._busy.acquire(blocking=False):
            try:
                if self._close.alive:
                    self._close()
                    with suppress(OSError):  # swept later
                        self.path.unlink(missing_ok=True)
            finally:
                self._busy.release()


def _write_all(descriptor: int, pieces: Sequence[memoryview]) -> None:
    """Write pieces one after the other, in few system calls: beside a busy loop each waits for its turn."""
    rest = deque(pieces)
    while rest:
        written = os.writev(descriptor, list(islice(rest, PIECES_AT_ONCE)))
        while rest and written >= len(rest[0]):
            written -= len(rest.popleft())
        if written:
            rest[0] = rest[0][written:]


def _make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, durably."""
    try:
        folder.mkdir(FOLDER_MODE)
    except FileExistsError:
        return
    except FileNotFoundError:
        _make_folder(folder.parent)
        _make_folder(folder)
        return
    sync_folder(folder.parent)
