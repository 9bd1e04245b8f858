"""Replies: +OK, -ERR with a response code, challenges, lists of words (RFC 1939 §3, RFC 2449 §8)."""

import binascii
from collections.abc import Iterable
from enum import Enum

END_OF_LINES = b".\r\n"
"""Ends a reply of several lines (RFC 1939 §3)."""


class ResponseCode(Enum):
    """What programs may conclude from a -ERR."""

    AUTH = b"AUTH"
    """The credentials are the trouble: ask the person (RFC 3206 §5)."""
    SYS_TEMP = b"SYS/TEMP"
    """The server is, and probably not for long (RFC 3206 §4)."""
    SYS_PERM = b"SYS/PERM"
    """The server is, until somebody mends it."""


def ok(text: str) -> bytes:
    """Return a positive reply."""
    return b"+OK %b\r\n" % _encode(text)


def error(text: str, code: ResponseCode | None = None) -> bytes:
    """Return a negative reply."""
    if code is None:
        return b"-ERR %b\r\n" % _encode(text)
    return b"-ERR [%b] %b\r\n" % (code.value, _encode(text))


def challenge(data: bytes) -> bytes:
    """Return a challenge of an exchange (RFC 5034 §4)."""
    return b"+ " + binascii.b2a_base64(data, newline=False) + b"\r\n"


def word_list(text: str, words: Iterable[str]) -> bytes:
    """Return a positive reply with one word or capability on each line."""
    lines = b"".join(b"%b\r\n" % _encode(word) for word in words)
    return ok(text) + lines + END_OF_LINES


def _encode(text: str) -> bytes:
    """Return text as one line, whatever it holds."""
    printable = text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
    return printable.encode("ascii", "replace")
