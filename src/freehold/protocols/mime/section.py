"""The sections of a message that IMAP and JMAP name by numbers.

Owns RFC 3501 §6.4.5: part numbers, HEADER, TEXT and MIME as ranges of octets, and the subset of a
header that HEADER.FIELDS asks for.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

import msgspec

from freehold.protocols.mime.buffer import Buffer, header_block
from freehold.protocols.mime.structure import Part

# RFC 5322 §2.2: a field's name, and the whole field with its folded lines but its last line feed.
_FIELD_NAME = re.compile(rb"[^\s:]+")
_FIELD_OR_LINE = re.compile(rb"\n(([^\s:]+)(?:[ \t]*:)?[^\n]*(?:\n[ \t][^\n]*)*)")


class Range(msgspec.Struct, frozen=True):
    """The octets start…end of a message."""

    start: int
    end: int


def find_part(part: Part, numbers: Sequence[int]) -> Part | None:
    """Return the part that `numbers` name in a scanned message, or None.

    Part 1 of a message that is no multipart is its only part; below a message/rfc822 the numbers
    go on with the parts of the embedded message. No numbers name the message itself.
    """
    message = part
    for depth, number in enumerate(numbers):
        if depth and message.is_message:
            message = message.children[0]
        elif depth and not message.is_multipart:
            return None
        if message.is_multipart:
            if not 1 <= number <= len(message.children):
                return None
            message = message.children[number - 1]
        elif number != 1:
            return None
    return message


def whole(part: Part) -> Range:
    """Return BODY[] of a message: header and body."""
    return Range(part.header_start, part.body_end)


def body_range(part: Part) -> Range:
    """Return BODY[n] of a part: its body, as it is encoded."""
    return Range(part.body_start, part.body_end)


def mime_range(part: Part) -> Range:
    """Return BODY[n.MIME]: the part's own header with its blank line."""
    return Range(part.header_start, part.header_end)


def header_range(part: Part) -> Range:
    """Return BODY[HEADER] of a scanned message."""
    return Range(part.header_start, part.header_end)


def text_range(part: Part) -> Range:
    """Return BODY[TEXT] of a scanned message."""
    return Range(part.body_start, part.body_end)


def embedded_message(part: Part) -> Part | None:
    """Return the message inside a message/rfc822, whose BODY[n.HEADER] and BODY[n.TEXT] exist."""
    return part.children[0] if part.is_message else None


def header_fields(
    buffer: Buffer, start: int, end: int, names: Collection[bytes], *, exclude: bool = False
) -> bytes:
    """Return the named fields of the header in start…end, exactly, and a blank line.

    With `exclude`, returns all other fields instead (HEADER.FIELDS.NOT). Names are compared without
    regard to case; the order is that of the header. Fields beyond MAX_HEADER_BYTES are not seen.
    """
    header = header_block(buffer, start, end)
    blank = b"\n" if header.endswith(b"\n\n") else b"\r\n"
    if exclude:
        unwanted = {name.lower() for name in names}
        kept = [field for field, name in _FIELD_OR_LINE.findall(header) if name.lower() not in unwanted]
    else:
        kept = _fields_named(tuple(names)).findall(header)
    if not kept:
        return blank
    if not header.endswith(b"\n") and header.endswith(kept[-1]):
        kept[-1] += b"\r"
    return b"\n".join(kept) + b"\n" + blank


@lru_cache(maxsize=64)
def _fields_named(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """Return what finds the fields of these names; what can be no field's name finds nothing."""
    spelt = b"|".join(re.escape(name) for name in names if _FIELD_NAME.fullmatch(name))
    return re.compile(rb"\n((?i:%b)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*)" % (spelt or rb"(?!)"))
