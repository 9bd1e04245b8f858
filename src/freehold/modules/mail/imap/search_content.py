"""What a message says: looks into headers and bodies, decoded, without regard to case.

A full-text index will one day answer before these functions are asked; they stay the last word.
"""

import re
from collections.abc import Iterator

from freehold.modules.mail.imap.message_content import MessageContent
from freehold.protocols.imap.search_keys import DateRelation
from freehold.protocols.mime.addresses import mailboxes, parse_addresses
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.charset import decode_charset
from freehold.protocols.mime.date import parse_zoned_date
from freehold.protocols.mime.decode import decode_text
from freehold.protocols.mime.encoded_word import decode_words
from freehold.protocols.mime.header import all_values, fields
from freehold.protocols.mime.structure import Part, header_end

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Decoded text of one part that is looked through."""

ENVELOPE_FIELDS = frozenset({"subject", "from", "to", "cc", "bcc"})
"""Fields whose text is in the ENVELOPE, whole or in pieces."""

ADDRESS_FIELDS = frozenset({"from", "to", "cc", "bcc", "sender", "reply-to"})
"""Fields in which addresses are also found as they are meant, without comments and spaces."""

_PIECE = re.compile(r"[a-z0-9]+")
_ENVELOPE_DATE = re.compile(rb'\((?:"((?:[^"\\]|\\.)*)"|(NIL))')
_ENCODINGS = (b"base64", b"quoted-printable", b"=?", b"uuencode")
_EPOCH_DAY = 719_163  # date(1970, 1, 1).toordinal()
_MS_PER_DAY = 86_400_000


class Needle:
    """A text to be found; `pieces` are its runs of letters and digits, if it is US-ASCII."""

    __slots__ = ("octets", "pieces", "text")

    def __init__(self, text: str) -> None:
        self.text = text.casefold()
        self.octets = self.text.encode() if text.isascii() else None
        self.pieces = tuple(piece.encode() for piece in _PIECE.findall(self.text)) if text.isascii() else ()

    def is_in(self, text: str) -> bool:
        """Tell whether a text contains it."""
        return self.text in text.casefold()

    def cannot_be_in(self, envelope: bytes) -> bool:
        """Tell that no field of an ENVELOPE contains it: a piece is missing and nothing is encoded."""
        if not self.pieces or b"=?" in envelope:
            return False
        lowered = envelope.lower()
        return not all(piece in lowered for piece in self.pieces)


def header_contains(content: MessageContent, name: str, needle: Needle) -> bool:
    """Tell whether a field of this name contains the text; an empty one asks for the field."""
    buffer = content.buffer
    values = all_values(buffer, 0, header_end(buffer, 0, len(buffer)), name.encode("utf-8", "replace"))
    if not needle.text:
        return bool(values)
    if any(needle.is_in(decode_words(value)) for value in values):
        return True
    return name in ADDRESS_FIELDS and any(map(needle.is_in, _addresses(values)))


def body_contains(content: MessageContent, needle: Needle) -> bool:
    """Tell whether the body contains the text, in whatever encoding and charset."""
    if not needle.text:
        return True
    plain = _plain_octets(content.buffer)
    if needle.octets is not None and plain is not None:
        return plain.find(needle.octets, header_end(plain, 0, len(plain))) >= 0
    return any(needle.is_in(text) for text in _texts(content, content.part, is_outermost=True))


def text_contains(content: MessageContent, needle: Needle) -> bool:
    """Tell whether header or body contains the text."""
    buffer = content.buffer
    if needle.octets is not None and len(needle.pieces) == 1 and needle.octets == needle.pieces[0]:
        plain = _plain_octets(buffer)
        if plain is not None:
            return needle.octets in plain
    end = header_end(buffer, 0, len(buffer))
    return any(needle.is_in(text) for text in _header_texts(content, 0, end)) or body_contains(
        content, needle
    )


def sent_day_matches(envelope: bytes, relation: DateRelation, day_ms: int) -> bool:
    """Compare the day of the Date field, as written there; without a date nothing matches."""
    found = _ENVELOPE_DATE.match(envelope)
    date = parse_zoned_date(found[1]) if found is not None and found[1] is not None else None
    if date is None:
        return False
    day = (date.written_ordinal - _EPOCH_DAY) * _MS_PER_DAY
    match relation:
        case DateRelation.BEFORE:
            return day < day_ms
        case DateRelation.ON:
            return day == day_ms
        case DateRelation.SINCE:
            return day >= day_ms


def _plain_octets(buffer: Buffer) -> bytes | None:
    """Return a small message in lower case if nothing in it is encoded: its octets are its text."""
    if not isinstance(buffer, bytes):
        return None
    lowered = buffer.lower()
    return None if any(word in lowered for word in _ENCODINGS) else lowered


def _addresses(values: list[bytes]) -> Iterator[str]:
    for address in mailboxes(parse_addresses(b",".join(values))):
        yield decode_charset(b"%b@%b" % (address.local or b"", address.domain or b""), b"")


def _texts(content: MessageContent, part: Part, *, is_outermost: bool) -> Iterator[str]:
    """Yield the texts of a part: its own header unless it is the message's, then what it holds."""
    if not is_outermost:
        yield from _header_texts(content, part.header_start, part.header_end)
    for child in part.children:
        yield from _texts(content, child, is_outermost=False)
    if not part.children and part.type == b"text":
        yield decode_text(content.buffer, part, MAX_TEXT_BYTES)


def _header_texts(content: MessageContent, start: int, end: int) -> Iterator[str]:
    for field in fields(content.buffer, start, end):
        yield f"{decode_charset(field.name, b'')}: {decode_words(field.value)}"
