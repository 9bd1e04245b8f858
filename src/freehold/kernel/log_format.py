"""How a log record becomes bytes: text for a terminal, JSON for a collector, native fields for journald.

Whatever the form: control characters are escaped, values are bounded, and the values of fields whose name
speaks of a secret are never written.
"""

import logging
import re
import time
import traceback
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

import msgspec

from freehold.kernel.log import FIELDS

MAX_VALUE_CHARS: Final = 2_000
MAX_TRACE_CHARS: Final = 16_000
HIDDEN: Final = "[hidden]"
SYSLOG_LEVELS: Final = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}

_SECRET: Final = re.compile(
    r"passw|passphrase|secret|token|private_?key|api_?key|credential|authorization|cookie", re.IGNORECASE
)
_UNSAFE: Final = re.compile(
    r"[^\x20-\x7e\xa1-\uffff\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\u2028\u2029]"
)
_PLAIN_VALUE: Final = re.compile(r"[^\s\"=]+")
_NOT_JOURNAL: Final = re.compile(r"[^A-Z0-9_]")
_COLORS: Final = {"DEBUG": "\x1b[2m", "WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31;1m"}
_DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"

_is_secret_name: dict[str, bool] = {}


class RecordFormat(Protocol):
    """Renders a record as the bytes of one entry."""

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the entry, with its line end where the form has one."""


class TextFormat:
    """One line: time, level, logger, message, then `name=value` fields; a traceback follows indented."""

    __slots__ = ("_color", "_seconds", "_stamp")

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._seconds = -1
        self._stamp = ""

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the line in UTF-8."""
        level = record.levelname
        parts = [self._time(record.created), f"{level:<7}", safe_text(record.getMessage())]
        fields = "".join(
            f" {safe_text(name)}={_text_value(name, value)}" for name, value in fields_of(record)
        )
        source = record.name.removeprefix("freehold.")
        if self._color:
            parts[1] = f"{_COLORS.get(level, '')}{parts[1]}{_RESET}"
            fields = f"{_DIM}{fields} ({source}){_RESET}"
        else:
            fields = f"{fields} logger={source}"
        trace = trace_of(record)
        if trace:
            fields += "".join(f"\n    {safe_text(line)}" for line in trace.splitlines())
        return f"{' '.join(parts)}{fields}\n".encode("utf-8", "backslashreplace")

    def _time(self, created: float) -> str:
        """Return local time to the millisecond; the part down to seconds is kept between records."""
        seconds = int(created)
        if seconds != self._seconds:
            self._seconds = seconds
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
        return f"{self._stamp}.{int((created - seconds) * 1000):03}"


class JsonFormat:
    """One JSON object on a line: time (UTC, RFC 3339), level, logger, message, pid, then the fields."""

    __slots__ = ("_encoder", "_seconds", "_stamp")

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._seconds = -1
        self._stamp = ""

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the line in UTF-8."""
        created = record.created
        seconds = int(created)
        if seconds != self._seconds:
            self._seconds = seconds
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        entry: dict[str, object] = {
            "time": f"{self._stamp}.{int((created - seconds) * 1000):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": bounded(record.getMessage()),
            "pid": record.process,
        }
        for name, value in fields_of(record):
            entry[f"{name}_" if name in entry else name] = safe_value(name, value)
        trace = trace_of(record)
        if trace:
            entry["traceback"] = trace
        try:
            return self._encoder.encode(entry) + b"\n"
        except UnicodeEncodeError:  # a lone surrogate, from undecodable bytes of a file name
            return (
                self._encoder.encode({name: _without_surrogates(value) for name, value in entry.items()})
                + b"\n"
            )


class JournalFormat:
    """A datagram of journald's native protocol: one field a line, binary-safe where a value has line feeds.

    The message carries the fields too, for `journalctl` shows nothing else by default.
    """

    __slots__ = ()

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the datagram."""
        message = safe_text(record.getMessage())
        lines = [b""]
        for name, value in fields_of(record):
            lines.append(_journal_field(f"FREEHOLD_{journal_name(name)}", safe_value(name, value)))
            message += f" {name}={_text_value(name, value)}"
        lines[0] = _journal_field("MESSAGE", message.replace("\n", " "))
        lines.append(b"PRIORITY=%d\n" % SYSLOG_LEVELS.get(record.levelname, 5))
        lines.append(b"SYSLOG_IDENTIFIER=freehold\n")
        lines.append(_journal_field("FREEHOLD_LOGGER", record.name))
        trace = trace_of(record)
        if trace:
            lines.append(_journal_field("FREEHOLD_TRACEBACK", trace))
        return b"".join(lines)


def fields_of(record: logging.LogRecord) -> list[tuple[str, object]]:
    """Return the record's fields; what another library put there in another form is shown as one field."""
    fields = getattr(record, FIELDS, None)
    if fields is None:
        return []
    if isinstance(fields, Mapping):
        return [(str(name), value) for name, value in fields.items()]
    return [(FIELDS, fields)]


def trace_of(record: logging.LogRecord) -> str:
    """Return the record's traceback, bounded; its end is what matters."""
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return "".join(traceback.format_exception(*record.exc_info))[-MAX_TRACE_CHARS:].rstrip()


def safe_value(name: str, value: object) -> object:
    """Return a value for JSON: numbers and booleans as they are, the rest as bounded text, secrets hidden."""
    if _names_secret(name):
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bounded(bytes(value[: MAX_VALUE_CHARS + 1]).decode("utf-8", "backslashreplace"))
    if isinstance(value, list | tuple | set | frozenset):
        return [safe_value("", item) for item in list(value)[:100]]
    return bounded(str(value))


def safe_text(text: str) -> str:
    """Return the text on one line, without anything that steers a terminal, and bounded."""
    text = bounded(text)
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def bounded(text: str) -> str:
    """Cut a text longer than `MAX_VALUE_CHARS`."""
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[: MAX_VALUE_CHARS - 1]}…"


@lru_cache(maxsize=1000)
def journal_name(name: str) -> str:
    """Return a field name that journald accepts: capitals, digits and underscores, at most 64."""
    return _NOT_JOURNAL.sub("_", name.upper())[:50]


def _text_value(name: str, value: object) -> str:
    safe = safe_value(name, value)
    if isinstance(safe, list):
        safe = ",".join(str(item) for item in safe)
    text = str(safe)
    if _PLAIN_VALUE.fullmatch(text):
        return safe_text(text)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe_text(quoted)}"'


def _names_secret(name: str) -> bool:
    known = _is_secret_name.get(name)
    if known is None:
        known = _SECRET.search(name) is not None
        if len(_is_secret_name) < 1000:  # noqa: PLR2004 - field names are few; a library's may not be
            _is_secret_name[name] = known
    return known


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _without_surrogates(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else str(value)


def _journal_field(name: str, value: object) -> bytes:
    data = str(value).encode("utf-8", "backslashreplace")
    if b"\n" in data:
        return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)
    return b"%s=%s\n" % (name.encode(), data)
