"""Ready-made IMAP bytes for what a message is: ENVELOPE, BODY and BODYSTRUCTURE.

Owns RFC 3501 §7.4.2 and the string syntax of §4.3. Types, encodings and parameter names are given
in lower case. Where the RFC leaves the choice, the reading is Dovecot's, so that a mailbox looks the
same after a move: text without charset is us-ascii, a missing local part or domain is named as such.
"""

import re

from freehold.protocols.mime.addresses import Address, AddressItem, parse_addresses
from freehold.protocols.mime.buffer import Buffer, header_block, unfold
from freehold.protocols.mime.parameters import Disposition, Parameters
from freehold.protocols.mime.structure import Part, header_end

MAX_QUOTED_BYTES = 1024
"""Longer strings are sent as literals, which clients read without scanning."""
MAX_ENVELOPE_HEADER_BYTES = 512 * 1024
"""How much header of embedded messages one structure reads; those beyond have an empty envelope."""

_EMPTY_ENVELOPE = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
_MISSING_LOCAL = b'"MISSING_MAILBOX"'
_MISSING_DOMAIN = b'"MISSING_DOMAIN"'
_US_ASCII = b'"charset" "us-ascii"'

# RFC 3501 §9: what a quoted string may hold unescaped; control octets are left to literals.
_PLAIN_TEXT = re.compile(rb"[\t !#-\[\]-~]{0,%d}" % MAX_QUOTED_BYTES)
_QUOTABLE_TEXT = re.compile(rb"[\t -~]{0,%d}" % MAX_QUOTED_BYTES)
_ENVELOPE_FIELD = re.compile(
    rb"\n((?i:date|subject|from|sender|reply-to|to|cc|bcc|in-reply-to|message-id))"
    rb"[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)"
)


def nstring(value: bytes | None) -> bytes:
    """Return a value as NIL, quoted string or literal (RFC 3501 §4.3).

    A literal may hold any octet but NUL (RFC 3501 §9 CHAR8), so NULs are left out.
    """
    if value is None:
        return b"NIL"
    if _PLAIN_TEXT.fullmatch(value) is not None:
        return b'"%b"' % value
    if _QUOTABLE_TEXT.fullmatch(value) is not None:
        return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    value = value.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(value), value)


def envelope(buffer: Buffer) -> bytes:
    """Return the ENVELOPE of the message in `buffer`, with its parentheses."""
    return _envelope(buffer, 0, header_end(buffer, 0, len(buffer)))


def part_envelope(buffer: Buffer, message: Part) -> bytes:
    """Return the ENVELOPE of a scanned message, the outermost or an embedded one."""
    return _envelope(buffer, message.header_start, message.header_end)


def bodystructure(buffer: Buffer, part: Part) -> bytes:
    """Return the BODYSTRUCTURE of a part, with extension data."""
    return _Writer(buffer, extended=True).structure(part)


def body(buffer: Buffer, part: Part) -> bytes:
    """Return the BODY of a part: its structure without extension data."""
    return _Writer(buffer, extended=False).structure(part)


def _envelope(buffer: Buffer, start: int, end: int) -> bytes:
    fields: dict[bytes, list[bytes]] = {}
    for name, value in _ENVELOPE_FIELD.findall(header_block(buffer, start, end)):
        fields.setdefault(name.lower(), []).append(value)
    sent_by = _address_list(fields.get(b"from"))
    sender = _address_list(fields.get(b"sender"))
    reply_to = _address_list(fields.get(b"reply-to"))
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _text(fields.get(b"date")),
        _text(fields.get(b"subject")),
        sent_by,
        sent_by if sender == b"NIL" else sender,
        sent_by if reply_to == b"NIL" else reply_to,
        _address_list(fields.get(b"to")),
        _address_list(fields.get(b"cc")),
        _address_list(fields.get(b"bcc")),
        _text(fields.get(b"in-reply-to")),
        _text(fields.get(b"message-id")),
    )


def _text(values: list[bytes] | None) -> bytes:
    return b"NIL" if values is None else nstring(unfold(values[0]))


def _address_list(values: list[bytes] | None) -> bytes:
    """Return an address list, NIL where there is no address (RFC 3501 §7.4.2).

    Agents that split a long list over several fields mean all of it.
    """
    if values is None:
        return b"NIL"
    items = parse_addresses(values[0] if len(values) == 1 else b",".join(values))
    if not items:
        return b"NIL"
    return b"(%b)" % b"".join([_address_item(item) for item in items])


def _address_item(item: AddressItem) -> bytes:
    """Return a mailbox, or a group between its two markers (a NIL host is group syntax)."""
    if isinstance(item, Address):
        return b"(%b %b %b %b)" % (
            nstring(item.name),
            nstring(item.route),
            _MISSING_LOCAL if item.local is None else nstring(item.local),
            _MISSING_DOMAIN if item.domain is None else nstring(item.domain),
        )
    members = b"".join([_address_item(member) for member in item.members])
    return b"(NIL NIL %b NIL)%b(NIL NIL NIL NIL)" % (nstring(item.name), members)


class _Writer:
    """Writes one structure; what the envelopes of embedded messages may cost is bounded."""

    __slots__ = ("_buffer", "_envelope_bytes_left", "_extended")

    def __init__(self, buffer: Buffer, *, extended: bool) -> None:
        self._buffer = buffer
        self._extended = extended
        self._envelope_bytes_left = MAX_ENVELOPE_HEADER_BYTES

    def structure(self, part: Part) -> bytes:
        """Return the structure of a part and of all below it."""
        if part.is_multipart:
            children = b"".join([self.structure(child) for child in part.children])
            tail = b" %b %b" % (_parameters(part.parameters), _common(part)) if self._extended else b""
            return b"(%b %b%b)" % (children, nstring(part.subtype), tail)
        is_text = part.type == b"text"
        own = b""
        if part.is_message:
            message = part.children[0]
            own = b" %b %b %d" % (self._envelope(message), self.structure(message), part.lines)
        elif is_text:
            own = b" %d" % part.lines
        parameters = part.parameters
        return b"(%b %b %b %b %b %b %d%b%b)" % (
            nstring(part.type),
            nstring(part.subtype),
            _text_parameters(parameters) if is_text else _parameters(parameters),
            nstring(part.content_id),
            nstring(part.description),
            nstring(part.encoding),
            part.size,
            own,
            b" %b %b" % (nstring(part.md5), _common(part)) if self._extended else b"",
        )

    def _envelope(self, message: Part) -> bytes:
        self._envelope_bytes_left -= message.header_end - message.header_start
        if self._envelope_bytes_left < 0:
            return _EMPTY_ENVELOPE
        return part_envelope(self._buffer, message)


def _common(part: Part) -> bytes:
    """Return the extension data that every part has: disposition, languages, location."""
    languages = b"NIL"
    if part.languages:
        languages = b"(%b)" % b" ".join([nstring(language) for language in part.languages])
    return b"%b %b %b" % (_disposition(part.disposition), languages, nstring(part.location))


def _disposition(disposition: Disposition | None) -> bytes:
    if disposition is None:
        return b"NIL"
    return b"(%b %b)" % (nstring(disposition.kind), _parameters(disposition.parameters))


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return b"(%b)" % _pairs(parameters)


def _text_parameters(parameters: Parameters) -> bytes:
    """Return the parameters of a text part, which has a charset (RFC 2046 §4.1.2)."""
    if not parameters:
        return b"(%b)" % _US_ASCII
    if any(name in (b"charset", b"charset*") for name, _ in parameters):
        return b"(%b)" % _pairs(parameters)
    return b"(%b %b)" % (_pairs(parameters), _US_ASCII)


def _pairs(parameters: Parameters) -> bytes:
    return b" ".join([b"%b %b" % (nstring(name), nstring(value)) for name, value in parameters])
