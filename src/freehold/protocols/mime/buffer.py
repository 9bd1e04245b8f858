"""Read access to message bytes that may be too large to copy.

Owns the two questions that a whole message is asked (where is this, how many lines), so that a
mapped file is read through a small window and never becomes one object in memory.
"""

import mmap
from collections.abc import Iterator
from typing import TypeAlias

Buffer: TypeAlias = bytes | mmap.mmap

WINDOW_BYTES = 128 * 1024
"""How much of a mapped message is copied at once."""

MAX_HEADER_BYTES = 256 * 1024
"""How much of one header is ever interpreted; Postfix reads 100 KiB."""


def find(buffer: Buffer, needle: bytes, start: int, end: int) -> int:
    """Return the first offset of `needle` that lies wholly in start…end, or -1.

    `mmap.find` compares octet by octet; windows let the much faster `bytes.find` do the work.
    """
    if isinstance(buffer, bytes):
        return buffer.find(needle, start, end)
    overlap = len(needle) - 1
    while start < end:
        stop = min(start + WINDOW_BYTES, end)
        found = buffer[start:stop].find(needle)
        if found >= 0:
            return start + found
        if stop == end:
            return -1
        start = stop - overlap
    return -1


def count_lines(buffer: Buffer, start: int, end: int) -> int:
    """Return how many line feeds lie in start…end."""
    if isinstance(buffer, bytes):
        return buffer.count(b"\n", start, end)
    return sum(chunk.count(b"\n") for chunk in chunks(buffer, start, end, WINDOW_BYTES))


def chunks(buffer: Buffer, start: int, end: int, chunk_bytes: int) -> Iterator[bytes]:
    """Yield the octets of start…end in pieces of at most `chunk_bytes`."""
    for offset in range(start, end, chunk_bytes):
        yield buffer[offset : min(offset + chunk_bytes, end)]


def header_block(buffer: Buffer, start: int, end: int) -> bytes:
    """Return a header's octets with one line feed before them, so that each field follows one.

    At most MAX_HEADER_BYTES are returned.
    """
    return b"\n" + buffer[start : min(end, start + MAX_HEADER_BYTES)]


def unfold(value: bytes) -> bytes:
    """Return a field's value on one line, without white space around it (RFC 5322 §2.2.3)."""
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return value.strip(b" \t\r")
