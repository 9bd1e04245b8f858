"""Text in header fields.

Owns RFC 2047: encoded words to text and back. Unknown charsets and damaged words never fail; they
give what can be read.
"""

import binascii
import re

from freehold.protocols.mime.buffer import unfold
from freehold.protocols.mime.charset import decode_charset
from freehold.protocols.mime.decode import Base64Decoder

# RFC 2047 §2 with the language of RFC 2231 §5; spaces inside the text are let through.
_ENCODED_WORD = re.compile(rb"=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?([BbQq])\?([^?\r\n]*)\?=")
_MAX_ENCODED_OCTETS = 45  # of text in one word: 60 of base64, and 12 of `=?utf-8?b??=`


def decode_words(value: bytes) -> str:
    """Return the text of a raw field value: unfolded, encoded words decoded (RFC 2047 §6.2)."""
    value = unfold(value)
    if b"=?" not in value:
        return decode_charset(value, b"")
    pieces: list[str] = []
    charset = b""
    pending = bytearray()  # neighbours in one charset, as some split a character over two words
    end = 0
    for found in _ENCODED_WORD.finditer(value):
        gap = value[end : found.start()]
        apart = not end or bool(gap.strip(b" \t"))
        if apart or found[1].lower() != charset:
            pieces.append(decode_charset(bytes(pending), charset))
            pending.clear()
            if apart:
                pieces.append(decode_charset(gap, b""))
        charset = found[1].lower()
        pending += _decode_word(found[2], found[3])
        end = found.end()
    pieces.append(decode_charset(bytes(pending), charset))
    pieces.append(decode_charset(value[end:], b""))
    return "".join(pieces)


def encode_words(text: str) -> str:
    """Return unstructured text for a header: as it is in printable US-ASCII, else in encoded words.

    Words are separated by folds, so that each line stays under 76 characters (RFC 2047 §2).
    """
    if text.isascii() and text.isprintable() and "=?" not in text:
        return text
    words: list[str] = []
    piece = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _MAX_ENCODED_OCTETS:
            words.append(_encode_word(piece))
            piece = b""
        piece += octets
    words.append(_encode_word(piece))
    return "\r\n ".join(words)


def _decode_word(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Qq":
        return binascii.a2b_qp(text, header=True)
    state = Base64Decoder()
    return state.feed(text) + state.finish()


def _encode_word(octets: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(octets, newline=False).decode('ascii')}?="
