"""Strings as a response carries them: atom, quoted or literal, whichever is right (RFC 9051 §4)."""

import re

MAX_QUOTED_BYTES = 1024
"""Longer strings are sent as literals, which clients read without looking at each octet."""

# Fewer characters than atom allows: clients stumble over a bare "[", and take digits for a number.
_ATOM = re.compile(rb"[A-Za-z][A-Za-z0-9&+,./_-]*")
# QUOTED-CHAR; a backslash or quote among them is escaped
_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")
_TO_ESCAPE = re.compile(rb'(["\\])')


def quote_string(content: bytes) -> bytes:
    """Write as a quoted string; only for content without CR, LF and NUL."""
    return b'"' + _TO_ESCAPE.sub(rb"\\\1", content) + b'"'


def literal(content: bytes) -> bytes:
    """Write as a literal, as a literal8 (RFC 9051 §4.3.1) if a NUL is in it."""
    if 0 in content:
        return b"~{%d}\r\n%b" % (len(content), content)
    return b"{%d}\r\n%b" % (len(content), content)


def string(content: bytes) -> bytes:
    """Write quoted if it is short 7-bit text, else as a literal."""
    if len(content) <= MAX_QUOTED_BYTES and _QUOTABLE.fullmatch(content):
        return quote_string(content)
    return literal(content)


def nstring(content: bytes | None) -> bytes:
    """Write a string, or NIL for None."""
    return b"NIL" if content is None else string(content)


def astring(content: bytes) -> bytes:
    """Write as an atom if no client can take it for anything else, NIL among them."""
    if _ATOM.fullmatch(content) and content.upper() != b"NIL":
        return content
    return string(content)
