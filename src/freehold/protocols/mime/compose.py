"""Building blocks of new messages.

Owns how a header field and a multipart are written: RFC 5322 §2.2.3 folding, RFC 2046 §5.1.1
delimiters. Values come from anywhere; none can start a line of its own.
"""

import re
from collections.abc import Sequence

from freehold.protocols.mime.encoded_word import encode_words

FOLD_COLUMNS = 76
MAX_WORD_CHARACTERS = 900
"""Longer words are cut, so that no line reaches the 998 octets of RFC 5322 §2.1.1."""
MAX_VALUE_CHARACTERS = 8192
"""How much of one value is written."""

# Everything that some program reads as the end of a line, other controls, and lone surrogates.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# RFC 2046 §5.1.1 bchars that need no quoting in a parameter
_NOT_IN_BOUNDARY = re.compile(r"[^A-Za-z0-9_.+=-]")
MAX_BOUNDARY_CHARACTERS = 60
"""RFC 2046 §5.1.1 allows 70; the rest is for what makes it unique."""


def one_line(text: str) -> str:
    """Return text without control characters, on one line, at most MAX_VALUE_CHARACTERS long."""
    return _CONTROLS.sub(" ", text[:MAX_VALUE_CHARACTERS]).strip()


def field(name: str, value: str) -> bytes:
    """Return a structured field, folded at its spaces, with its line break; UTF-8 stays (RFC 6532)."""
    lines = [f"{name}:"]
    for word in one_line(value).split():
        for piece in _pieces(word):
            if len(lines[-1]) + 1 + len(piece) > FOLD_COLUMNS and lines[-1].strip() != f"{name}:":
                lines.append("")
            lines[-1] += f" {piece}"
    return "\r\n".join(lines).encode() + b"\r\n"


def text_field(name: str, text: str) -> bytes:
    """Return an unstructured field in US-ASCII, with encoded words where needed (RFC 2047)."""
    encoded = encode_words(one_line(text))
    if "\r\n" in encoded:
        return f"{name}:\r\n {encoded}\r\n".encode()
    return field(name, encoded)


def body_part(fields: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """Return a body part: header, blank line, body."""
    return b"".join([field(name, value) for name, value in fields]) + b"\r\n" + body


def multipart(boundary: str, parts: Sequence[bytes]) -> bytes:
    """Return the body of a multipart whose parts keep their exact octets."""
    delimiter = b"--" + boundary.encode("ascii")
    pieces = [b"%b\r\n%b\r\n" % (delimiter, part) for part in parts]
    return b"".join(pieces) + delimiter + b"--\r\n"


def free_boundary(wish: str, parts: Sequence[bytes]) -> str:
    """Return a boundary that begins no line of the parts: the wish, with a number where needed."""
    base = _NOT_IN_BOUNDARY.sub("_", wish[:MAX_BOUNDARY_CHARACTERS]) or "part"
    boundary = base
    number = 0
    while any(f"--{boundary}".encode("ascii") in part for part in parts):
        number += 1
        boundary = f"{base}={number}"
    return boundary


def transfer_encoding(body: bytes) -> str:
    """Return `7bit` or `8bit`, whichever the body is (RFC 2045 §2.7, §2.8)."""
    return "7bit" if body.isascii() else "8bit"


def _pieces(word: str) -> list[str]:
    size = MAX_WORD_CHARACTERS // 4 if not word.isascii() else MAX_WORD_CHARACTERS
    return [word[start : start + size] for start in range(0, len(word), size)]
