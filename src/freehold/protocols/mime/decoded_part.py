"""Whole parts and messages without their transfer encodings, as IMAP's BINARY gives them.

Owns RFC 3516 §4.2 for what is made of several parts: each leaf is decoded, its header says "binary" in place
of the encoding it had, and all else is as it was. Dovecot reads the RFC so too.
"""

from collections.abc import Iterator

from freehold.protocols.mime.buffer import MAX_HEADER_BYTES, Buffer, chunks
from freehold.protocols.mime.decode import CHUNK_BYTES, decode_body, is_known_encoding
from freehold.protocols.mime.encode import with_encoding
from freehold.protocols.mime.structure import Part

_PLAIN = frozenset({b"7bit", b"8bit", b"binary"})


def can_decode(part: Part) -> bool:
    """Tell whether the encodings of a part and of all below it are known."""
    if part.children:
        return all(map(can_decode, part.children))
    return is_known_encoding(part.encoding)


def decoded_part(buffer: Buffer, part: Part, *, with_header: bool) -> Iterator[bytes]:
    """Yield a part decoded, in pieces of bounded size, none of them empty."""
    if with_header:
        yield from _header(buffer, part)
    if not part.children:
        yield from decode_body(buffer, part)
        return
    position = part.body_start
    for child in part.children:
        yield from chunks(buffer, position, child.header_start, CHUNK_BYTES)
        yield from decoded_part(buffer, child, with_header=True)
        position = child.body_end
    yield from chunks(buffer, position, part.body_end, CHUNK_BYTES)


def cut(pieces: Iterator[bytes], offset: int, length: int) -> Iterator[bytes]:
    """Yield what lies at offset…offset+length-1 of all pieces together, and read no further."""
    for piece in pieces:
        wanted = piece[offset : offset + length]
        offset = max(0, offset - len(piece))
        length -= len(wanted)
        if wanted:
            yield wanted
        if not length:
            return


def _header(buffer: Buffer, part: Part) -> Iterator[bytes]:
    read = part.header_start
    if not part.children and part.encoding not in _PLAIN:
        read = min(part.header_end, read + MAX_HEADER_BYTES)
        yield with_encoding(buffer[part.header_start : read], b"binary")
    yield from chunks(buffer, read, part.header_end, CHUNK_BYTES)
