"""What of a message can be searched, as text: its header's fields and the texts in it (RFC 9051 §6.4.4).

The one definition for those who look through a message and for those who index it: transfer encodings,
charsets and encoded words are decoded, HTML is read as its text.
"""

import re
from collections.abc import Iterator

from freehold.protocols.mime.addresses import mailboxes, parse_addresses
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.charset import decode_charset
from freehold.protocols.mime.decode import decode_text
from freehold.protocols.mime.encoded_word import decode_words
from freehold.protocols.mime.header import fields
from freehold.protocols.mime.html_text import html_text
from freehold.protocols.mime.structure import Part

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""Decoded octets of one part that are looked through."""

ADDRESS_FIELDS = frozenset({"from", "to", "cc", "bcc", "sender", "reply-to"})
"""Fields in which addresses are also found as they are meant, without comments and spaces."""

SEARCHED_TYPES = frozenset({b"text", b"message"})
"""Types of parts that are looked through, among them delivery reports (RFC 3501 §6.4.4)."""

# What may stand within an address that is not part of it (RFC 5322 §3.2.2, §4.4).
_INDIRECT = re.compile(rb"[(\\]|[\s\"][@.]|[@.][\s\"]")
_HTML = frozenset({b"html", b"xhtml", b"xhtml+xml"})


def header_texts(buffer: Buffer, start: int, end: int) -> Iterator[tuple[str, str]]:
    """Yield name and decoded value of each field of a header; addresses follow on lines of their own."""
    for field in fields(buffer, start, end):
        name = field.name.decode("ascii", "replace")
        value = decode_words(field.value)
        if name.lower() in ADDRESS_FIELDS and _INDIRECT.search(field.value) is not None:
            value = "\n".join((value, *_addresses(field.value)))
        yield name, value


def body_texts(buffer: Buffer, part: Part, max_bytes: int = MAX_TEXT_BYTES) -> Iterator[str]:
    """Yield the texts in a scanned message: headers of its parts, then what they say, in order.

    Of each part at most `max_bytes` of its decoded body are read.
    """
    if not part.children:
        if part.type in SEARCHED_TYPES:
            yield part_text(buffer, part, max_bytes)
        return
    for child in part.children:
        for name, value in header_texts(buffer, child.header_start, child.header_end):
            yield f"{name}: {value}"
        yield from body_texts(buffer, child, max_bytes)


def part_text(buffer: Buffer, part: Part, max_bytes: int) -> str:
    """Return what a part of a searched type says."""
    source = decode_text(buffer, part, max_bytes)
    return html_text(source) if part.subtype in _HTML else source


def _addresses(value: bytes) -> Iterator[str]:
    for address in mailboxes(parse_addresses(value)):
        yield decode_charset(b"%b@%b" % (address.local or b"", address.domain or b""), b"")
