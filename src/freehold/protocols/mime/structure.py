"""Where the parts of a message lie.

Owns RFC 2046 §5.1 (multipart) and §5.2 (message): one pass of `scan` gives a tree of offsets with
what the Content-* fields say. It interprets no body and copies none; it never fails. What is
malformed is read as RFC 2045 §5.2 advises: a multipart in which no part can be found is text/plain,
what lies beyond the bounds is one application/octet-stream.
"""

import re

import msgspec

from freehold.protocols.mime.buffer import WINDOW_BYTES, Buffer, count_lines, find, header_block, unfold
from freehold.protocols.mime.parameters import (
    MESSAGE_RFC822,
    OCTET_STREAM,
    TEXT_PLAIN,
    ContentType,
    Disposition,
    Parameters,
    parameter,
    parse_content_type,
    parse_disposition,
    without_comments,
)

MAX_DEPTH = 50
"""How deep multiparts and embedded messages may nest."""
MAX_PARTS = 10_000
"""How many parts one message may have."""
MAX_LOOKALIKES = 100_000
"""How many lines of one message may start like a delimiter and be none."""
MAX_LANGUAGES = 32
"""How many languages of one Content-Language are kept."""
MAX_BOUNDARY_BYTES = 256
"""RFC 2046 §5.1.1 allows 70; longer ones occur."""

_EMBEDDED = frozenset({b"rfc822", b"global"})

# The fields of RFC 2045, 2183, 1864, 3282 and 2557; each follows a line feed.
_CONTENT_FIELD = re.compile(
    rb"\n(?i:content-(type|transfer-encoding|disposition|id|description|md5|language|location))"
    rb"[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)"
)
# RFC 5322 §2.2: a field's name and colon; also the line that mbox files put before a header.
_FIELD_START = re.compile(rb"[!-9;-~]+[ \t]*:|>?From ")
# RFC 2046 §5.1.1: ["--"] transport-padding, then the line's end
_DELIMITER_TAIL = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_NAMES = re.compile(rb"[^\s,;()]+")


class Part(msgspec.Struct, frozen=True):
    """One entity: a message, a body part, or a message inside one.

    Offsets count from the start of the message. The header is header_start…header_end with its
    blank line, the body body_start…body_end. A multipart has at least one child, a message/rfc822
    or message/global exactly one, everything else none. `lines` is counted for text and messages.
    """

    header_start: int
    header_end: int
    body_start: int
    body_end: int
    content_type: ContentType
    disposition: Disposition | None = None
    encoding: bytes = b"7bit"
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    languages: tuple[bytes, ...] = ()
    location: bytes | None = None
    lines: int = 0
    children: tuple["Part", ...] = ()

    @property
    def type(self) -> bytes:
        """Return the media type in lower case."""
        return self.content_type.type

    @property
    def subtype(self) -> bytes:
        """Return the media subtype in lower case."""
        return self.content_type.subtype

    @property
    def parameters(self) -> Parameters:
        """Return the parameters of Content-Type."""
        return self.content_type.parameters

    @property
    def size(self) -> int:
        """Return the size of the body in octets, as it is encoded."""
        return self.body_end - self.body_start

    @property
    def is_multipart(self) -> bool:
        """Return whether the children are body parts."""
        return self.content_type.type == b"multipart"

    @property
    def is_message(self) -> bool:
        """Return whether the only child is an embedded message."""
        return self.content_type.type == b"message" and bool(self.children)


def scan(buffer: Buffer) -> Part:
    """Return the tree of parts of the message in `buffer`.

    Takes time linear in the message (times its depth); MAX_DEPTH, MAX_PARTS and MAX_LOOKALIKES bound
    the rest.
    """
    if not isinstance(buffer, bytes) and len(buffer) <= WINDOW_BYTES:
        buffer = buffer[:]
    return _Scanner(buffer).entity(0, len(buffer), 0, TEXT_PLAIN)


def header_end(buffer: Buffer, start: int, end: int) -> int:
    """Return the offset just after the blank line that ends a header (RFC 5322 §2.1).

    Without a blank line the header reaches to `end`; where the first line is no field there is none.
    """
    lead = buffer[start : min(start + 2, end)]
    if lead[:1] == b"\n":
        return start + 1
    if lead == b"\r\n":
        return start + 2
    if _FIELD_START.match(buffer, start, end) is None:
        return start
    crlf = find(buffer, b"\n\r\n", start, end)
    lone = find(buffer, b"\n\n", start, end if crlf < 0 else crlf + 1)
    if lone >= 0:
        return lone + 2
    return end if crlf < 0 else crlf + 3


class _Scanner:
    """The state of one scan: the bytes, and what is left of the bounds."""

    __slots__ = ("_buffer", "_lookalikes_left", "_parts_left")

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._parts_left = MAX_PARTS
        self._lookalikes_left = MAX_LOOKALIKES

    def entity(self, start: int, end: int, depth: int, default: ContentType) -> Part:
        """Return the entity in start…end; at MAX_DEPTH it has no children."""
        buffer = self._buffer
        self._parts_left -= 1
        body_start = header_end(buffer, start, end)
        found = _CONTENT_FIELD.findall(header_block(buffer, start, body_start))
        fields = {name.lower(): value for name, value in reversed(found)}
        value = fields.pop(b"type", None)
        content = default if value is None else parse_content_type(unfold(value))
        children: tuple[Part, ...] = ()
        kind = content.type
        if kind == b"multipart":
            content, children = self._multipart(body_start, end, depth, content)
        elif kind == b"message" and content.subtype in _EMBEDDED:
            content, children = self._embedded(body_start, end, depth, content)
        kind = content.type
        lines = count_lines(buffer, body_start, end) if kind in (b"text", b"message") else 0
        if not fields:
            return Part(start, body_start, body_start, end, content, lines=lines, children=children)
        return _described(Part(start, body_start, body_start, end, content), fields, lines, children)

    def _embedded(
        self, start: int, end: int, depth: int, content: ContentType
    ) -> tuple[ContentType, tuple[Part, ...]]:
        if depth >= MAX_DEPTH or self._parts_left <= 0:
            return OCTET_STREAM, ()
        return content, (self.entity(start, end, depth + 1, TEXT_PLAIN),)

    def _multipart(
        self, start: int, end: int, depth: int, content: ContentType
    ) -> tuple[ContentType, tuple[Part, ...]]:
        if depth >= MAX_DEPTH or self._parts_left <= 0:
            return OCTET_STREAM, ()
        boundary = (parameter(content.parameters, b"boundary") or b"").rstrip(b" \t")
        if not boundary or len(boundary) > MAX_BOUNDARY_BYTES:
            return TEXT_PLAIN, ()
        default = MESSAGE_RFC822 if content.subtype == b"digest" else TEXT_PLAIN
        children = self._body_parts(start, end, b"\n--" + boundary, depth + 1, default)
        return (content, tuple(children)) if children else (TEXT_PLAIN, ())

    def _body_parts(
        self, start: int, end: int, needle: bytes, depth: int, default: ContentType
    ) -> list[Part]:
        """Return the parts that delimiters separate; the last one may lack its closing delimiter."""
        children: list[Part] = []
        child_start = -1
        # The line feed before the first delimiter may be that of the header's blank line.
        position = start - 1
        while True:
            delimiter = self._next_delimiter(position, end, needle)
            if child_start >= 0:
                if delimiter is None and child_start == end and children:
                    break
                if delimiter is None or self._parts_left <= 1:
                    bound = depth if self._parts_left > 1 else MAX_DEPTH
                    children.append(self.entity(child_start, end, bound, default))
                    break
                stop = max(child_start, delimiter.content_end)
                children.append(self.entity(child_start, stop, depth, default))
            if delimiter is None or delimiter.closing:
                break
            child_start = delimiter.next_start
            position = child_start - 1
        return children

    def _next_delimiter(self, position: int, end: int, needle: bytes) -> "_Delimiter | None":
        """Return the first delimiter line from `position`, the offset of a line feed."""
        buffer = self._buffer
        while (found := find(buffer, needle, position, end)) >= 0:
            tail = _DELIMITER_TAIL.match(buffer, found + len(needle), end)
            if tail is not None:
                content_end = found - 1 if buffer[found - 1 : found] == b"\r" else found
                return _Delimiter(content_end, tail.end(), tail.end(1) >= 0)
            self._lookalikes_left -= 1
            if self._lookalikes_left < 0:
                return None
            position = found + 1
        return None


class _Delimiter(msgspec.Struct, frozen=True, gc=False):
    """A delimiter line: where the content before it ends, where the next starts."""

    content_end: int
    next_start: int
    closing: bool


def _described(bare: Part, fields: dict[bytes, bytes], lines: int, children: tuple[Part, ...]) -> Part:
    """Return the part with what its other Content-* fields say, all taken as they come."""
    values = {name: unfold(value) for name, value in fields.items()}
    disposition = values.get(b"disposition")
    encoding = _NAMES.search(without_comments(values.get(b"transfer-encoding", b"")))
    return Part(
        bare.header_start,
        bare.header_end,
        bare.body_start,
        bare.body_end,
        bare.content_type,
        None if disposition is None else parse_disposition(disposition),
        b"7bit" if encoding is None else encoding[0].lower(),
        values.get(b"id"),
        values.get(b"description"),
        values.get(b"md5"),
        tuple(_NAMES.findall(without_comments(values.get(b"language", b"")))[:MAX_LANGUAGES]),
        values.get(b"location"),
        lines,
        children,
    )
