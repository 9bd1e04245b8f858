"""From a message's octets to what the index keeps of it; bounded in time and memory, whatever they are."""

from collections.abc import Iterator

import msgspec

from freehold.modules.mail.search.index_row import IndexRow, header_row, index_row
from freehold.modules.mail.search.terms import PARTIAL, Field, terms_of
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.searchable import SEARCHED_TYPES, body_texts, header_texts
from freehold.protocols.mime.structure import Part, scan

MAX_TEXT_CHARACTERS = 1024 * 1024
"""Text of one message that goes into the index; one with more is looked through at each search."""
MAX_TERMS = 20_000
"""Different terms of one field of one message."""

NAMED_FIELDS = {
    "subject": Field.SUBJECT,
    "from": Field.FROM,
    "to": Field.TO,
    "cc": Field.CC,
    "bcc": Field.BCC,
}
"""Header fields that have an index of their own."""


class Document(msgspec.Struct, frozen=True):
    """What the index keeps of one content."""

    blob_id: int
    terms: dict[Field, set[bytes]]
    row: IndexRow


def make_document(blob_id: int, buffer: Buffer) -> Document:
    """Return the document of a message."""
    part = scan(buffer)
    texts: dict[Field, list[str]] = {}
    names: set[str] = set()
    for name, value in header_texts(buffer, 0, part.header_end):
        field = NAMED_FIELDS.get(name.lower(), Field.HEADER)
        texts.setdefault(field, []).append(value)
        names.add(name)
    texts.setdefault(Field.HEADER, []).extend(names)
    terms = {field: _bounded(terms_of("\n".join(values))) for field, values in texts.items()}
    terms[Field.BODY] = _body_terms(buffer, part)
    return Document(blob_id, terms, index_row(buffer, part))


def opaque_document(blob_id: int) -> Document:
    """Return the document of a message that could not be examined: a search looks through it each time."""
    return Document(blob_id, {field: {PARTIAL} for field in Field}, header_row(b""))


def _body_terms(buffer: Buffer, part: Part) -> set[bytes]:
    """Return the terms of a body, with PARTIAL if these are not all."""
    texts: list[str] = []
    left = MAX_TEXT_CHARACTERS
    for text in _counted(body_texts(buffer, part, MAX_TEXT_CHARACTERS)):
        texts.append(text[:left])
        left -= len(text)
        if left < 0:
            break
    terms = _bounded(terms_of("\n".join(texts)))
    if left < 0 or _has_large_text(part):
        terms.add(PARTIAL)
    return terms


def _counted(texts: Iterator[str]) -> Iterator[str]:
    """Yield texts; each costs a character at least, so that empty ones are bounded too."""
    for text in texts:
        yield text or " "


def _has_large_text(part: Part) -> bool:
    """Tell whether a text may hold more than was decoded of it: decoding makes nothing longer."""
    if part.children:
        return any(map(_has_large_text, part.children))
    return part.type in SEARCHED_TYPES and part.size > MAX_TEXT_CHARACTERS


def _bounded(terms: set[bytes]) -> set[bytes]:
    return terms if len(terms) <= MAX_TERMS else {PARTIAL}
