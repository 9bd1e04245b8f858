"""Pieces of one message, as FETCH names them (RFC 9051 §6.4.5)."""

from collections.abc import Iterable, Iterator

from freehold.errors import InvalidValueError
from freehold.protocols.imap.binary_section import BinarySection
from freehold.protocols.imap.body_section import BodySection, SectionText
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.decoded_part import can_decode, cut, decoded_part
from freehold.protocols.mime.imap_structure import body
from freehold.protocols.mime.section import (
    Range,
    body_range,
    embedded_message,
    find_part,
    header_fields,
    header_range,
    mime_range,
    text_range,
)
from freehold.protocols.mime.structure import Part, header_end, scan

LONG_SCAN_BYTES = 256 * 1024
"""Larger messages are looked through off the loop's thread."""

BodyItem = BodySection | BinarySection | FetchAttribute
"""A section, or `FetchAttribute.BODY`: what needs the message's octets."""

_BY_FIELDS = frozenset({SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT})


class UnknownEncodingError(InvalidValueError):
    """A part has a transfer encoding that cannot be decoded (RFC 3516 §4.3)."""

    public = "unknown Content-Transfer-Encoding"


class MessageContent:
    """A message's octets; its parts are looked for when a section needs them."""

    __slots__ = ("_header_end", "_part", "buffer")

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self._header_end: int | None = None
        self._part: Part | None = None

    @property
    def part(self) -> Part:
        """The tree of parts."""
        if self._part is None:
            self._part = scan(self.buffer)
        return self._part

    @property
    def header_end(self) -> int:
        """Where the message's body begins."""
        if self._header_end is None:
            self._header_end = header_end(self.buffer, 0, len(self.buffer))
        return self._header_end

    def prepare(self, items: Iterable[BodyItem]) -> None:
        """Look for what items need, which takes time linear in the message; large ones in a thread."""
        for item in items:
            if not isinstance(item, BodySection) or item.part:
                _ = self.part
            elif item.text is not SectionText.EVERYTHING:
                _ = self.header_end

    def decoded(self, section: BinarySection) -> Iterator[bytes] | None:
        """Return a section without its transfer encoding, in pieces; None if there is none.

        Raises:
            UnknownEncodingError: it, or a part within it, has an unknown encoding.
        """
        part = find_part(self.part, section.part)
        if part is None:
            return None
        if not can_decode(part):
            raise UnknownEncodingError
        pieces = decoded_part(self.buffer, part, with_header=not section.part)
        if section.offset is None or section.length is None:
            return pieces
        return cut(pieces, section.offset, section.length)

    def structure(self) -> bytes:
        """Write the item BODY."""
        return body(self.buffer, self.part)

    def locate(self, section: BodySection) -> Range | bytes | None:
        """Return where a section lies, or its octets where they are put together; None if there is none.

        A partial beyond the end is empty.
        """
        found = self._locate(section)
        if section.offset is None or section.length is None or found is None:
            return found
        if isinstance(found, bytes):
            return found[section.offset : section.offset + section.length]
        start = min(found.start + section.offset, found.end)
        return Range(start, min(start + section.length, found.end))

    def octets(self, section: BodySection) -> bytes | None:
        """Return a section as octets."""
        found = self.locate(section)
        return self.buffer[found.start : found.end] if isinstance(found, Range) else found

    def _locate(self, section: BodySection) -> Range | bytes | None:
        if section.part:
            return self._locate_in_part(section)
        size = len(self.buffer)
        if section.text is SectionText.EVERYTHING:
            return Range(0, size)
        end = self.header_end
        match section.text:
            case SectionText.HEADER:
                return Range(0, end)
            case SectionText.TEXT:
                return Range(end, size)
            case _:
                return self._fields(section, Range(0, end))

    def _locate_in_part(self, section: BodySection) -> Range | bytes | None:
        part = find_part(self.part, section.part)
        if part is None:
            return None
        match section.text:
            case SectionText.EVERYTHING:
                return body_range(part)
            case SectionText.MIME:
                return mime_range(part)
        message = embedded_message(part)
        if message is None:
            return None
        if section.text is SectionText.TEXT:
            return text_range(message)
        header = header_range(message)
        return self._fields(section, header) if section.text in _BY_FIELDS else header

    def _fields(self, section: BodySection, header: Range) -> bytes:
        exclude = section.text is SectionText.HEADER_FIELDS_NOT
        return header_fields(self.buffer, header.start, header.end, section.fields, exclude=exclude)
