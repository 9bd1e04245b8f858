"""The data folder: made private at first start, given to the server's user, and held by one server only."""

import fcntl
import os
from pathlib import Path
from typing import Final

from freehold.errors import FreeholdError
from freehold.kernel.privileges import SystemUser, is_root

RUN: Final = "run"
LOCK: Final = "freehold.pid"
STARTED: Final = "first-start-done"
"""The file that says that a data folder has had its first start."""

PRIVATE: Final = 0o700


class DataFolderError(FreeholdError):
    """The data folder cannot be used."""

    public = "the data folder cannot be used"


class DataFolderLock:
    """The lock on a data folder, held while the server lives; a killed server holds it no longer."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, data: Path) -> None:
        self._path = data / RUN / LOCK
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise DataFolderError(
                f"a server runs on {data} already (process {read_pid(data) or 'unknown'}): "
                "stop it, or give this one another data folder"
            ) from None
        self.write_pid()

    def write_pid(self) -> None:
        """Note this process as the holder."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another server start."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Close a forked child's copy; the parent still holds the lock."""
        os.close(self._descriptor)


def prepare(data: Path, user: SystemUser | None) -> None:
    """Make the folder and its `run` if they do not exist, private, and as root the user's.

    A folder that exists keeps its owner and its content untouched.

    Raises:
        DataFolderError: it cannot be made, or is not the user's.
    """
    try:
        for folder in (data, data / RUN):
            if not folder.exists():
                folder.mkdir(PRIVATE, parents=True)
                if user is not None and is_root():
                    os.chown(folder, user.uid, user.gid)
        _check_owner(data, user)
    except OSError as error:
        raise DataFolderError(f"the data folder {data} cannot be made or read: {error.strerror}") from error


def give(path: Path, user: SystemUser | None) -> None:
    """As root, give a file of the folder to the user."""
    if user is not None and is_root() and path.exists():
        os.chown(path, user.uid, user.gid, follow_symlinks=False)


def had_first_start(data: Path) -> bool:
    """Return whether modules have prepared the folder."""
    return (data / STARTED).exists()


def note_first_start(data: Path) -> None:
    """Note that they have."""
    (data / STARTED).touch(mode=0o600)


def read_pid(data: Path) -> int | None:
    """Return the process number that the folder's lock file names, or None."""
    try:
        text = (data / RUN / LOCK).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def is_running(data: Path) -> bool:
    """Return whether a server holds the folder now."""
    try:
        descriptor = os.open(data / RUN / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _check_owner(data: Path, user: SystemUser | None) -> None:
    owner = data.stat().st_uid
    expected = user.uid if user is not None and is_root() else os.geteuid()
    if owner != expected:
        raise DataFolderError(
            f"the data folder {data} belongs to user number {owner}, the server runs as number {expected}: "
            f"chown -R it, or set `user`"
        )
