"""The fields of one header.

Owns RFC 5322 §2.2: which fields there are and where, and the values of the simple ones. Addresses,
dates and parameters have files of their own.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from freehold.protocols.mime.addresses import AddressItem, parse_addresses
from freehold.protocols.mime.buffer import MAX_HEADER_BYTES, Buffer, header_block, unfold
from freehold.protocols.mime.date import ZonedDate, parse_zoned_date
from freehold.protocols.mime.encoded_word import decode_words

MAX_MESSAGE_IDS = 1000
"""How many ids of one References field are read."""

# RFC 5322 §2.2: field-name ":" field-body, with its folded lines
_FIELD = re.compile(rb"\n([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)")
# RFC 5322 §3.6.4 msg-id, with the spaces and missing halves that occur
_MESSAGE_ID = re.compile(rb"<[ \t]*([^<>\s]{1,998})[ \t]*>")


class HeaderField(msgspec.Struct, frozen=True):
    """A field: its name as written, its value with folds but without the last line break.

    The whole field lies in start…end, which includes the line break.
    """

    name: bytes
    value: bytes
    start: int
    end: int


def fields(buffer: Buffer, start: int, end: int) -> Iterator[HeaderField]:
    """Yield the fields of the header in start…end in order; lines that are no fields are skipped.

    Reads at most MAX_HEADER_BYTES.
    """
    block = header_block(buffer, start, end)
    # Offsets in the block are one ahead, as it starts with a line feed of its own.
    for found in _FIELD.finditer(block):
        after = min(found.end() + 1, len(block))
        value = found[2]
        if value.endswith(b"\r"):
            value = value[:-1]
        yield HeaderField(found[1], value, start + found.start(), start + after - 1)


def all_values(buffer: Buffer, start: int, end: int, name: bytes) -> list[bytes]:
    """Return the raw values of all fields of this name, in order."""
    return [value.rstrip(b"\r") for value in _named(name.lower()).findall(header_block(buffer, start, end))]


def first_value(buffer: Buffer, start: int, end: int, name: bytes) -> bytes | None:
    """Return the raw value of the first field of this name, or None."""
    found = _named(name.lower()).search(header_block(buffer, start, end))
    return None if found is None else found[1].rstrip(b"\r")


@lru_cache(maxsize=128)
def _named(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?i:%b)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)" % re.escape(name))


def text(buffer: Buffer, start: int, end: int, name: bytes) -> str | None:
    """Return the first field of this name as decoded text (RFC 2047), or None."""
    value = first_value(buffer, start, end, name)
    return None if value is None else decode_words(value)


def date(buffer: Buffer, start: int, end: int, name: bytes = b"date") -> ZonedDate | None:
    """Return the first field of this name as a date, or None where it is missing or none."""
    value = first_value(buffer, start, end, name)
    return None if value is None else parse_zoned_date(value)


def addresses(buffer: Buffer, start: int, end: int, name: bytes) -> tuple[AddressItem, ...]:
    """Return the addresses of all fields of this name, in order."""
    values = all_values(buffer, start, end, name)
    return parse_addresses(b",".join(values)) if values else ()


def message_id(buffer: Buffer, start: int, end: int) -> bytes | None:
    """Return the Message-ID without its brackets, or None where there is none."""
    value = first_value(buffer, start, end, b"message-id")
    if value is None:
        return None
    ids = message_ids(value)
    if ids:
        return ids[0]
    bare = unfold(value)
    return bare if bare and not re.search(rb"\s", bare) else None


def message_ids(value: bytes) -> tuple[bytes, ...]:
    """Return the ids of a References or In-Reply-To value, without their brackets."""
    found = _MESSAGE_ID.findall(value[:MAX_HEADER_BYTES])
    return tuple(found[:MAX_MESSAGE_IDS])
