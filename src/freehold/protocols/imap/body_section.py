"""`BODY[section]<partial>`: a piece of a message, and its name in the response (RFC 9051 §6.4.5)."""

import re
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.cursor import MAX_NUMBER63, Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_HEADER_FIELDS, MAX_SECTION_PARTS
from freehold.protocols.imap.wire_string import astring

# section-part = nz-number *("." nz-number)
_PART = re.compile(rb"[1-9]\d{0,9}(?:\.[1-9]\d{0,9})*")
_SECTION_TEXT = re.compile(rb"[A-Za-z.]+")
# field-name of RFC 5322 §3.6.8
_FIELD_NAME = re.compile(rb"[!-9;-~]+")


class SectionText(Enum):
    """What of the part is meant; the value is the word on the wire."""

    EVERYTHING = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    MIME = b"MIME"
    TEXT = b"TEXT"


_TEXTS = {text.value: text for text in SectionText if text.value}
_WITH_FIELDS = (SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT)


@dataclass(frozen=True, slots=True)
class BodySection:
    """One piece of a message.

    `label` is the item's name in the response, ready to send, such as `BODY[1.TEXT]<0>`.
    `part` is empty for the message itself. `fields` are as the client wrote them.
    `offset` and `length` are those of a partial, else None. Without `peek` the message becomes seen.
    """

    label: bytes
    peek: bool
    part: tuple[int, ...] = ()
    text: SectionText = SectionText.EVERYTHING
    fields: tuple[bytes, ...] = ()
    offset: int | None = None
    length: int | None = None


def parse_body_section(cursor: Cursor, word: bytes) -> BodySection:
    """Take what follows `BODY` or `BODY.PEEK` (`word`), from the bracket on."""
    if word not in {b"BODY", b"BODY.PEEK"}:
        raise CommandError("unknown fetch item with a section")
    cursor.skip(b"[")
    part, text = _section(cursor)
    fields: tuple[bytes, ...] = ()
    if text in _WITH_FIELDS:
        cursor.space()
        fields = tuple(cursor.parenthesised(lambda: _field(cursor), MAX_HEADER_FIELDS))
        if not fields:
            raise CommandError("expected a header field name")
    if not cursor.skip(b"]"):
        raise cursor.error("a closing bracket")
    offset, length = parse_partial(cursor) if cursor.looking_at(b"<") else (None, None)
    label = _label(part, text, fields, offset)
    return BodySection(label, word == b"BODY.PEEK", part, text, fields, offset, length)


def parse_part(cursor: Cursor) -> tuple[int, ...]:
    """Take a part number such as `1.2.3`; the message itself has none."""
    match = cursor.match(_PART)
    if match is None:
        return ()
    part = tuple(map(int, match[0].split(b".")))
    if len(part) > MAX_SECTION_PARTS:
        raise CommandError("body part number too deep")
    return part


def _section(cursor: Cursor) -> tuple[tuple[int, ...], SectionText]:
    part = parse_part(cursor)
    if cursor.looking_at(b"]") or (part and not cursor.skip(b".")):
        return part, SectionText.EVERYTHING
    text = _TEXTS.get(cursor.take(_SECTION_TEXT, "a section").upper())
    if text is None or (text is SectionText.MIME and not part):
        raise CommandError("unknown section")
    return part, text


def _field(cursor: Cursor) -> bytes:
    name = cursor.astring("a header field name")
    if not _FIELD_NAME.fullmatch(name):
        raise CommandError("invalid header field name")
    return name


def parse_partial(cursor: Cursor) -> tuple[int, int]:
    """Take `<offset.length>`."""
    cursor.skip(b"<")
    offset = cursor.number(MAX_NUMBER63)
    if not cursor.skip(b"."):
        raise cursor.error("a dot")
    length = cursor.nz_number(MAX_NUMBER63)
    if not cursor.skip(b">"):
        raise cursor.error("a closing angle bracket")
    return offset, length


def _label(part: tuple[int, ...], text: SectionText, fields: tuple[bytes, ...], offset: int | None) -> bytes:
    words = [b"%d" % number for number in part]
    if text is not SectionText.EVERYTHING:
        words.append(text.value)
    section = b".".join(words)
    if fields:
        section += b" (" + b" ".join(map(astring, fields)) + b")"
    return b"BODY[%b]" % section if offset is None else b"BODY[%b]<%d>" % (section, offset)
