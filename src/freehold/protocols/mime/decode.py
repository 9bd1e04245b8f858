"""The body of a part, without its transfer encoding.

Owns RFC 2045 §6 (base64, quoted-printable, 7bit, 8bit, binary) and the old x-uuencode, as decoders
that take a body in any pieces and give the same octets. Damaged input gives what can be read of it.
"""

import binascii
import re
from collections.abc import Iterator
from typing import Protocol

from freehold.protocols.mime.buffer import Buffer, chunks
from freehold.protocols.mime.charset import decode_charset
from freehold.protocols.mime.parameters import parameter
from freehold.protocols.mime.structure import Part

CHUNK_BYTES = 64 * 1024
MAX_LINE_BYTES = 64 * 1024
"""Lines longer than this are decoded in pieces."""
MAX_TEXT_BYTES = 1024 * 1024
"""How much decoded text `decode_text` gives unless told otherwise."""

_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64_ALPHABET + b"=")
# RFC 2045 §6.7 rule 3: white space before a line's end is no part of it.
_PADDED_LINE_END = (b" \n", b"\t\n", b" \r\n", b"\t\r\n")
# What is neither an escape nor a soft line break stands for itself.
_STRAY_EQUALS = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\r?\Z)")
_MAX_UU_LINE_BYTES = 128  # 62 are usual
_UU_BEGIN = re.compile(rb"begin [0-7]{3,4} ")


class Decoder(Protocol):
    """Turns an encoded body into its octets, piece by piece."""

    def feed(self, chunk: bytes) -> bytes:
        """Return what these further octets decode to, as far as it is known."""

    def finish(self) -> bytes:
        """Return what is left at the end of the body."""


class IdentityDecoder:
    """7bit, 8bit, binary and whatever is not known: the octets as they are."""

    __slots__ = ()

    def feed(self, chunk: bytes) -> bytes:
        """Return the octets."""
        return chunk

    def finish(self) -> bytes:
        """Return nothing, as nothing was kept."""
        return b""


class Base64Decoder:
    """RFC 2045 §6.8: foreign octets are skipped, the first padding is the end."""

    __slots__ = ("_carry", "_ended")

    def __init__(self) -> None:
        self._carry = b""
        self._ended = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the octets of the quartets that are complete."""
        if self._ended:
            return b""
        data = self._carry + chunk.translate(None, _NOT_BASE64)
        padding = data.find(b"=")
        if padding >= 0:
            self._ended = True
            self._carry = b""
            return _decode_quartets(data[:padding])
        whole = len(data) & ~3
        self._carry = data[whole:]
        return binascii.a2b_base64(data[:whole])

    def finish(self) -> bytes:
        """Return the octets of a last quartet that lacks its padding."""
        rest, self._carry = self._carry, b""
        return _decode_quartets(rest)


def _decode_quartets(data: bytes) -> bytes:
    """Return the octets of clean base64 without padding; a lone last letter holds none."""
    if len(data) % 4 == 1:
        data = data[:-1]
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


class QuotedPrintableDecoder:
    """RFC 2045 §6.7: whole lines are decoded, what is no escape stays as it is."""

    __slots__ = ("_carry",)

    def __init__(self) -> None:
        self._carry = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return the octets of the lines that are complete."""
        data = self._carry + chunk
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        pieces = [_decode_printable(data[:cut])]
        while len(rest) > MAX_LINE_BYTES:
            # An escape is not cut; the place depends on the line alone, so pieces do not matter.
            cut = rest.find(b"=", MAX_LINE_BYTES - 3, MAX_LINE_BYTES)
            cut = cut if cut >= 0 else MAX_LINE_BYTES
            pieces.append(_decode_printable(rest[:cut]))
            rest = rest[cut:]
        self._carry = rest
        return b"".join(pieces)

    def finish(self) -> bytes:
        """Return the octets of the last line."""
        rest, self._carry = self._carry, b""
        return _decode_printable(rest.rstrip(b" \t"))


def _decode_printable(data: bytes) -> bytes:
    if any(padding in data for padding in _PADDED_LINE_END):
        data = b"\n".join([_without_padding(line) for line in data.split(b"\n")])
    return binascii.a2b_qp(_STRAY_EQUALS.sub(b"=3D", data))


def _without_padding(line: bytes) -> bytes:
    if line.endswith(b"\r"):
        return line[:-1].rstrip(b" \t") + b"\r"
    return line.rstrip(b" \t")


class UuDecoder:
    """x-uuencode: the lines between `begin` and `end`."""

    __slots__ = ("_carry", "_inside")

    def __init__(self) -> None:
        self._carry = b""
        self._inside = False

    def feed(self, chunk: bytes) -> bytes:
        """Return the octets of the lines that are complete."""
        lines = (self._carry + chunk).split(b"\n")
        # What is longer than a line of uuencode cannot become one.
        self._carry = lines.pop()[:MAX_LINE_BYTES]
        return b"".join([self._line(line) for line in lines])

    def finish(self) -> bytes:
        """Return the octets of the last line."""
        rest, self._carry = self._carry, b""
        return self._line(rest)

    def _line(self, line: bytes) -> bytes:
        line = line.rstrip(b"\r")
        if not self._inside:
            self._inside = _UU_BEGIN.match(line) is not None
            return b""
        if line.rstrip() == b"end":
            self._inside = False
            return b""
        if not line or len(line) > _MAX_UU_LINE_BYTES:
            return b""
        try:
            return binascii.a2b_uu(line)
        except binascii.Error:
            return _decode_overlong_uu(line)


def _decode_overlong_uu(line: bytes) -> bytes:
    """Return the octets of a line whose encoder wrote more than its length says."""
    length = (line[0] - 32) & 63
    try:
        return binascii.a2b_uu(line[: 1 + (length * 4 + 2) // 3])
    except binascii.Error:
        return b""


_DECODERS: dict[bytes, type[Base64Decoder | QuotedPrintableDecoder | UuDecoder]] = {
    b"base64": Base64Decoder,
    b"quoted-printable": QuotedPrintableDecoder,
    b"x-uuencode": UuDecoder,
    b"x-uue": UuDecoder,
    b"uuencode": UuDecoder,
}
_IDENTITY = frozenset({b"7bit", b"8bit", b"binary"})


def is_known_encoding(encoding: bytes) -> bool:
    """Return whether bodies in this encoding can be decoded (else IMAP says UNKNOWN-CTE)."""
    return encoding in _IDENTITY or encoding in _DECODERS


def decoder(encoding: bytes) -> Decoder:
    """Return a decoder for a Content-Transfer-Encoding in lower case; unknown ones change nothing."""
    kind = _DECODERS.get(encoding)
    return IdentityDecoder() if kind is None else kind()


def decode_body(buffer: Buffer, part: Part) -> Iterator[bytes]:
    """Yield the decoded body of a part in pieces that are not empty.

    Multiparts and messages are never encoded (RFC 2045 §6.4): theirs is given as it is.
    """
    encoded = not (part.is_multipart or part.is_message)
    state = decoder(part.encoding) if encoded else IdentityDecoder()
    for chunk in chunks(buffer, part.body_start, part.body_end, CHUNK_BYTES):
        decoded = state.feed(chunk)
        if decoded:
            yield decoded
    rest = state.finish()
    if rest:
        yield rest


def decode_text(buffer: Buffer, part: Part, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Return the text of a part from at most `max_bytes` of its decoded body, in its charset."""
    pieces: list[bytes] = []
    left = max_bytes
    for piece in decode_body(buffer, part):
        pieces.append(piece[:left])
        left -= len(piece)
        if left <= 0:
            break
    return decode_charset(b"".join(pieces), parameter(part.parameters, b"charset") or b"")
