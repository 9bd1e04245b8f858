"""Where the log goes: one write for each entry to standard error, or one datagram to journald."""

import logging
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from freehold.kernel.config import LogSettings
from freehold.kernel.log_format import JournalFormat, JsonFormat, RecordFormat, TextFormat

JOURNAL_SOCKET: Final = Path("/run/systemd/journal/socket")
STDERR: Final = 2


class DirectHandler(logging.Handler):
    """Writes each entry with one system call, so that lines of several processes do not mix.

    It never raises and never waits for a lock of another process: a log that cannot be written is lost.
    """

    def __init__(self, form: RecordFormat, descriptor: int = STDERR) -> None:
        super().__init__()
        self._form = form
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        try:
            os.write(self._descriptor, self._form.render(record))
        except Exception:  # noqa: BLE001 - a fault in logging must not become a fault of the caller
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop the record; where standard error is closed there is nowhere left to complain."""


class JournalHandler(DirectHandler):
    """Sends each entry to journald with its fields."""

    def __init__(self, path: Path = JOURNAL_SOCKET) -> None:
        super().__init__(JournalFormat())
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._fallback = DirectHandler(TextFormat(color=False))

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record; if journald does not take it, write it on standard error."""
        try:
            self._socket.sendto(self._form.render(record), self._path)
        except OSError:
            self._fallback.emit(record)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()


def set_up(settings: LogSettings) -> None:
    """Send every record of the process, of other libraries too, to one handler. May be called again."""
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(make_handler(settings.format))
    root.setLevel(settings.level.upper())
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def make_handler(form: str, environment: Mapping[str, str] = os.environ) -> logging.Handler:
    """Return the handler of a `[log] format`; `auto` looks at where standard error goes."""
    if form == "auto":
        form = _detect(environment)
    if form == "journald":
        return JournalHandler()
    if form == "json":
        return DirectHandler(JsonFormat())
    return DirectHandler(TextFormat(color=sys.stderr.isatty() and "NO_COLOR" not in environment))


def _detect(environment: Mapping[str, str]) -> str:
    if is_journal(environment.get("JOURNAL_STREAM", "")) and JOURNAL_SOCKET.exists():
        return "journald"
    return "text" if sys.stderr.isatty() else "json"


def is_journal(stream: str, descriptor: int = STDERR) -> bool:
    """Return whether $JOURNAL_STREAM ("device:inode") names the descriptor (systemd.exec(5)).

    The variable alone proves nothing: children inherit it while their standard error goes elsewhere.
    """
    device, _, inode = stream.partition(":")
    if not (device.isdigit() and inode.isdigit()):
        return False
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (int(device), int(inode))
