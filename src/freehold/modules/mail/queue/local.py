"""Delivery to files of the host's: a Maildir or an mbox, named by an administrator.

Both are written as Unix mail programs expect, with LF line ends. Bytes are synced to disk before
the queue forgets the message. A Maildir file's name comes from the queue's own id, so a delivery
that is repeated after a crash replaces its first copy instead of adding a second.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered, failed
from freehold.protocols.mime.buffer import Buffer

COPY_BYTES = 1024 * 1024
_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600


def deliver_to_maildir(path: str, message: Buffer, *, name: str) -> Outcome:
    """Write a message into `path`/new under the unique `name`, by way of tmp."""
    root = Path(path)
    try:
        for folder in ("tmp", "new", "cur"):
            (root / folder).mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        temporary = root / "tmp" / name
        with os.fdopen(_open(temporary, os.O_CREAT | os.O_TRUNC), "wb") as file:
            for piece in unix_pieces(message):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(root / "new" / name)
        _sync_directory(root / "new")
    except OSError as error:
        return _file_failure(path, error)
    return delivered(f"Maildir {path}")


def deliver_to_mbox(path: str, message: Buffer, *, reverse_path: str, date: str) -> Outcome:
    """Append a message to an mbox file under a lock (mboxrd: lines that look like From_ are quoted).

    `date` is the asctime form of the From_ line. A write that fails is cut off again.
    """
    try:
        with _locked(Path(path)) as descriptor:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            try:
                _append(descriptor, f"From {reverse_path or 'MAILER-DAEMON'} {date}\n".encode())
                for piece in unix_pieces(message):
                    _append(descriptor, _FROM_LINE.sub(rb">\1", piece))
                _append(descriptor, b"\n")
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, end)
                raise
    except OSError as error:
        return _file_failure(path, error)
    return delivered(f"mbox {path}")


def unix_pieces(message: Buffer) -> Iterator[bytes]:
    """Yield a message in pieces that end at line ends, with LF for CRLF."""
    start, size = 0, len(message)
    while start < size:
        end = min(start + COPY_BYTES, size)
        if end < size:
            line_end = message.find(b"\n", end)
            end = size if line_end < 0 else line_end + 1
        yield bytes(message[start:end]).replace(b"\r\n", b"\n")
        start = end


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    descriptor = _open(path, os.O_CREAT | os.O_APPEND)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path, extra: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | extra, _FILE_MODE)


def _append(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_failure(path: str, error: OSError) -> Outcome:
    detail = f"{path}: {os.strerror(error.errno) if error.errno else error}"
    if isinstance(error, NotADirectoryError | IsADirectoryError):
        return failed(detail, "5.3.5")
    return deferred(detail, "4.3.0")
