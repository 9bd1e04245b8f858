"""Delivery to files of the host's: a Maildir or an mbox, named by an administrator.

Both are written as Unix mail programs expect, with LF line ends. Bytes are synced to disk before
the queue forgets the message. A Maildir file's name comes from the queue's own id, so a delivery
that is repeated after a crash replaces its first copy instead of adding a second. Symbolic links
are not followed where the file's owner could have put one.
"""

import fcntl
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered
from freehold.protocols.mime.buffer import Buffer

COPY_BYTES = 1024 * 1024
_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a named pipe in the mbox's place must not block
_MBOX = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# struct flock of Linux: type, whence, start, length, process
_WHOLE_FILE = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


class MboxLockedError(Exception):
    """Another program has the mbox locked; it may be free a moment later."""


def deliver_to_maildir(path: str, message: Buffer, *, name: str) -> Outcome:
    """Write a message into `path`/new under the unique `name`, by way of tmp."""
    try:
        Path(path).mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        with _folder(path) as root:
            for folder in ("tmp", "new", "cur"):
                with suppress(FileExistsError):
                    os.mkdir(folder, _DIRECTORY_MODE, dir_fd=root)
            with _folder("tmp", root) as tmp, _folder("new", root) as new:
                _write_file(tmp, name, message)
                os.rename(name, name, src_dir_fd=tmp, dst_dir_fd=new)
                os.fsync(new)
    except OSError as error:
        return file_failure(path, error)
    return delivered(f"Maildir {path}")


def deliver_to_mbox(path: str, message: Buffer, *, reverse_path: str, date: str) -> Outcome:
    """Append a message to an mbox file under a lock (mboxrd: lines that look like From_ are quoted).

    `date` is the asctime form of the From_ line. A write that fails is cut off again.

    Raises:
        MboxLockedError: somebody else has the lock.
    """
    try:
        with _locked(path) as descriptor:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            try:
                if end and os.pread(descriptor, 1, end - 1) != b"\n":  # a writer died within a line
                    _append(descriptor, b"\n")
                _append(descriptor, f"From {reverse_path or 'MAILER-DAEMON'} {date}\n".encode())
                last = b"\n"
                for piece in unix_pieces(message):
                    _append(descriptor, _FROM_LINE.sub(rb">\1", piece))
                    last = piece[-1:]
                _append(descriptor, b"\n" if last == b"\n" else b"\n\n")
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, end)
                raise
    except OSError as error:
        return file_failure(path, error)
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


def file_failure(path: str, error: OSError) -> Outcome:
    """Return the outcome of a file that cannot be written: mostly something that may be repaired."""
    detail = f"{path}: {os.strerror(error.errno) if error.errno else error}"
    return deferred(detail, "4.3.0")


@contextmanager
def _folder(path: str, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, _DIRECTORY, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write_file(folder: int, name: str, message: Buffer) -> None:
    descriptor = os.open(name, _NEW_FILE, _FILE_MODE, dir_fd=folder)
    try:
        for piece in unix_pieces(message):
            _append(descriptor, piece)
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: str) -> Iterator[int]:
    """Give the open mbox, locked both ways that mail programs use: fcntl and flock."""
    descriptor = os.open(path, _MBOX, _FILE_MODE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is no regular file")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # of the open file, not the process: two deliveries of ours exclude each other as well
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE_FILE)
        except (BlockingIOError, PermissionError) as error:
            raise MboxLockedError from error
        yield descriptor
    finally:
        os.close(descriptor)


def _append(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
