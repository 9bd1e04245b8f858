"""A stored message as the lines that POP3 sends (RFC 1939 §3, RFC 1939 §7).

Each line ends in CRLF on the wire. Mail that was delivered has no other line ends; what a client appended
over IMAP may have lines that end in LF, and any message may end without CRLF. A CR by itself is no line
end and stays.
"""

import re
from collections.abc import Iterable, Iterator

from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.smtp.stuffing import stuff

PIECE_BYTES = 128 * 1024
"""Pieces in which a message is read and sent."""

_CR, _LF = 0x0D, 0x0A
_HEADER_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


def pieces_of(buffer: Buffer) -> Iterator[bytes]:
    """Yield a stored message in pieces of `PIECE_BYTES`."""
    size = len(buffer)
    if isinstance(buffer, bytes) and size <= PIECE_BYTES:
        return iter((buffer,))
    return (buffer[start : start + PIECE_BYTES] for start in range(0, size, PIECE_BYTES))


def retrieved(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a whole message for RETR: lines in CRLF, dots stuffed, and the end of the reply."""
    return stuff(with_crlf(pieces))


def top(pieces: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """Yield the header, the blank line and at most `lines` lines of the body, as `retrieved` does."""
    return stuff(_cut(with_crlf(pieces), lines))


def with_crlf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the message with a CR before each LF that has none; the last line may be unended."""
    last = _LF
    for piece in pieces:
        if not piece:
            continue
        # An LF that begins a piece may belong to the CR that ended the last one.
        kept = 1 if last == _CR and piece[0] == _LF else 0
        last = piece[-1]
        if piece.count(b"\n") - kept == piece.count(b"\r\n"):
            yield piece
        else:
            yield piece[:kept] + _BARE_LF.sub(b"\r\n", piece[kept:])


def added_octets(pieces: Iterable[bytes]) -> int:
    """Return by how many octets the lines sent, before dot-stuffing, exceed the stored message."""
    added, last = 0, _LF
    for piece in pieces:
        if not piece:
            continue
        kept = 1 if last == _CR and piece[0] == _LF else 0
        added += piece.count(b"\n") - kept - piece.count(b"\r\n")
        last = piece[-1]
    return added if last == _LF else added + 2


def _cut(pieces: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """Yield pieces up to the blank line behind the header, and so many lines more."""
    in_header = True
    # What precedes a piece may hold the beginning of a blank line; so does the start of the message.
    tail = b"\r\n"
    for piece in pieces:
        position = 0
        if in_header:
            window = tail + piece
            end = window.find(_HEADER_END)
            if end < 0:
                tail = window[1 - len(_HEADER_END) :]
                yield piece
                continue
            in_header = False
            position = end + len(_HEADER_END) - len(tail)
        found = piece.count(b"\n", position)
        if found >= lines:
            yield piece[: _after_lines(piece, position, lines)]
            return
        lines -= found
        yield piece


def _after_lines(piece: bytes, position: int, lines: int) -> int:
    for _ in range(lines):
        position = piece.index(b"\n", position) + 1
    return position
