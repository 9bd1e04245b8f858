"""SMTP replies: as a server writes them, as a client reads them (RFC 5321 §4.2, RFC 2034)."""

import re
from dataclasses import dataclass
from typing import Self

MAX_REPLY_TEXT_OCTETS = 480
"""Longest text of a reply line that is sent, so that the line keeps to 512 octets (RFC 5321 §4.5.3.1.5)."""

MAX_RECEIVED_LINE_OCTETS = 4096
"""Longest reply line that is taken from a server; the standard's 512 are often exceeded."""

MAX_RECEIVED_LINES = 128
"""Most lines of one reply that are taken from a server."""

# Reply-line = Reply-code [ SP textstring ] CRLF, or Reply-code "-" [ textstring ] CRLF
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)
# status-code = class "." subject "." detail (RFC 3463 §2)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)")
_FIRST_OF_SUCCESS = 200
_FIRST_OF_INTERMEDIATE = 300
_FIRST_OF_TEMPORARY = 400
_FIRST_OF_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: code, enhanced status code where RFC 2034 wants one, and one or more lines of text."""

    code: int
    enhanced: str | None
    lines: tuple[str, ...]

    @classmethod
    def of(cls, code: int, enhanced: str | None, text: str) -> Self:
        """Return a reply of one line."""
        return cls(code, enhanced, (text,))

    @property
    def is_positive(self) -> bool:
        """Whether the command was accepted, or waits for more (2xx, 3xx)."""
        return _FIRST_OF_SUCCESS <= self.code < _FIRST_OF_TEMPORARY

    @property
    def is_intermediate(self) -> bool:
        """Whether the server waits for more (3xx)."""
        return _FIRST_OF_INTERMEDIATE <= self.code < _FIRST_OF_TEMPORARY

    @property
    def is_temporary(self) -> bool:
        """Whether the same command may succeed later (4xx)."""
        return _FIRST_OF_TEMPORARY <= self.code < _FIRST_OF_PERMANENT

    @property
    def is_permanent(self) -> bool:
        """Whether the same command will fail again (5xx)."""
        return self.code >= _FIRST_OF_PERMANENT

    @property
    def text(self) -> str:
        """All lines joined by blanks, for a log or a bounce."""
        return " ".join(self.lines)

    def to_bytes(self) -> bytes:
        """Return the wire form; the enhanced code leads each line (RFC 2034 §4).

        What is not printable ASCII becomes `?` and long lines are cut, so no text can break a line.
        """
        prefix = f"{self.enhanced} " if self.enhanced else ""
        lines = self.lines or ("",)
        if len(lines) == 1:
            return f"{self.code} {prefix}{_printable(lines[0])}\r\n".encode()
        last = len(lines) - 1
        return b"".join(
            f"{self.code}{' ' if number == last else '-'}{prefix}{_printable(line)}\r\n".encode()
            for number, line in enumerate(lines)
        )

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}" if self.enhanced else f"{self.code} {self.text}"


def _printable(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if " " <= c <= "~" else "?" for c in text)
    return text[:MAX_REPLY_TEXT_OCTETS]


class InvalidReplyError(Exception):
    """What a server sent is not a reply, or exceeds the bounds."""


class ReplyParser:
    """Collects the lines of one reply after the other."""

    __slots__ = ("_code", "_lines")

    def __init__(self) -> None:
        self._code = b""
        self._lines: list[str] = []

    def feed_line(self, line: bytes) -> Reply | None:
        """Take one line without its end; return the reply when it was the last of one.

        Raises:
            InvalidReplyError: the line is malformed or too long, its code differs from the lines before,
                or the reply has too many lines.
        """
        match = _REPLY_LINE.match(line) if len(line) <= MAX_RECEIVED_LINE_OCTETS else None
        if match is None:
            raise InvalidReplyError("malformed reply line")
        code, separator, text = match.groups()
        if self._lines and code != self._code:
            raise InvalidReplyError("reply code changes between lines")
        if len(self._lines) >= MAX_RECEIVED_LINES:
            raise InvalidReplyError("reply has too many lines")
        self._code = code
        self._lines.append((text or b"").decode("utf-8", "replace"))
        if separator == b"-":
            return None
        lines, self._lines = self._lines, []
        return _to_reply(int(code), lines)


def _to_reply(code: int, lines: list[str]) -> Reply:
    match = _ENHANCED.match(lines[0])
    if match is None or match[1][0] != str(code)[0]:
        return Reply(code, None, tuple(lines))
    enhanced = match[1]
    return Reply(code, enhanced, tuple(_without(enhanced, line) for line in lines))


def _without(enhanced: str, line: str) -> str:
    if line == enhanced:
        return ""
    return line.removeprefix(enhanced + " ")
