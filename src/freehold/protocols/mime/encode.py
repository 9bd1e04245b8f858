"""Messages with parts in raw octets, rewritten so that every reader can be sent them.

Owns the choice that RFC 3516 §4.4 leaves: a part whose transfer encoding is "binary" is given base64 (RFC
2045 §6.8), and a multipart or message around it "8bit", which is true of it then. All else stays as it is.
"""

import re
from binascii import b2a_base64
from collections.abc import Iterator

from freehold.protocols.mime.buffer import MAX_HEADER_BYTES, Buffer, chunks
from freehold.protocols.mime.structure import Part

LINE_BYTES = 57
"""Octets of a line of base64, which has 76 letters (RFC 2045 §6.8)."""
CHUNK_BYTES = LINE_BYTES * 1024

_FIELD = re.compile(rb"(?:\A|(?<=\n))(?i:content-transfer-encoding)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")


def has_binary(part: Part) -> bool:
    """Tell whether a part, or one below it, is in raw octets."""
    return part.encoding == b"binary" or any(map(has_binary, part.children))


def without_binary(buffer: Buffer, part: Part) -> Iterator[bytes]:
    """Yield a scanned message in pieces of bounded size, with base64 for what is in raw octets."""
    yield from _header(buffer, part)
    if part.children:
        position = part.body_start
        for child in part.children:
            yield from chunks(buffer, position, child.header_start, CHUNK_BYTES)
            yield from without_binary(buffer, child)
            position = child.body_end
        yield from chunks(buffer, position, part.body_end, CHUNK_BYTES)
    elif part.encoding == b"binary":
        for chunk in chunks(buffer, part.body_start, part.body_end, CHUNK_BYTES):
            yield _encode(chunk)
    else:
        yield from chunks(buffer, part.body_start, part.body_end, CHUNK_BYTES)


def with_encoding(header: bytes, encoding: bytes) -> bytes:
    """Return a header with another Content-Transfer-Encoding in the place of the one it has."""
    return _FIELD.sub(b"Content-Transfer-Encoding: %b\r\n" % encoding, header)


def _header(buffer: Buffer, part: Part) -> Iterator[bytes]:
    if part.encoding != b"binary":
        yield from chunks(buffer, part.header_start, part.header_end, CHUNK_BYTES)
        return
    read = min(part.header_end, part.header_start + MAX_HEADER_BYTES)
    yield with_encoding(buffer[part.header_start : read], b"8bit" if part.children else b"base64")
    yield from chunks(buffer, read, part.header_end, CHUNK_BYTES)


def _encode(chunk: bytes) -> bytes:
    lines = [
        b2a_base64(chunk[start : start + LINE_BYTES], newline=False)
        for start in range(0, len(chunk), LINE_BYTES)
    ]
    return b"\r\n".join([*lines, b""])
