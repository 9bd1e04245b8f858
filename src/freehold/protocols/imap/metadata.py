"""GETMETADATA, SETMETADATA and the METADATA response (RFC 5464 §4)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.data_response import mailbox_name
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.metadata_entry import MAX_ENTRIES, parse_entries, parse_entry
from freehold.protocols.imap.states import AFTER_LOGIN
from freehold.protocols.imap.wire_string import nstring, string

MAX_OPTIONS = 4

# What every client can read without quotes.
_PLAIN = re.compile(rb"[A-Za-z0-9/._:-]+")
# What stands behind the parenthesis of a list of entries; options begin with a letter.
_ENTRY_LIST = re.compile(rb'\( *(?=[/"{])')
_LITERAL8 = re.compile(rb"~\{(\d{1,10})\+?\}\r\n")


class Depth(Enum):
    """How far below an entry GETMETADATA looks (RFC 5464 §4.2.2); the value is the word on the wire."""

    NONE = b"0"
    ONE = b"1"
    INFINITY = b"INFINITY"


_DEPTHS = {depth.value: depth for depth in Depth}


@dataclass(frozen=True, slots=True)
class GetMetadata(Command):
    """GETMETADATA; an empty `mailbox` is the server. Entries are as the client spells them.

    Values longer than `max_octets` are not wanted (RFC 5464 §4.2.1).
    """

    mailbox: str
    entries: tuple[str, ...]
    depth: Depth = Depth.NONE
    max_octets: int | None = None


@dataclass(frozen=True, slots=True)
class SetMetadata(Command):
    """SETMETADATA; an empty `mailbox` is the server, None removes an entry; the last of a name counts."""

    mailbox: str
    values: tuple[tuple[str, bytes | None], ...]


def parse_get_metadata(tag: bytes, cursor: Cursor) -> GetMetadata:
    """Read options, mailbox and entries.

    The grammar has the options before the mailbox and the examples behind it (RFC 5464 §4.2, §5): both do.
    """
    cursor.space()
    options = None
    if cursor.looking_at(b"("):
        options = _options(cursor)
        cursor.space()
    mailbox = _mailbox(cursor)
    cursor.space()
    if options is None and cursor.looking_at(b"(") and not _ENTRY_LIST.match(cursor.data, cursor.position):
        options = _options(cursor)
        cursor.space()
    entries = parse_entries(cursor)
    cursor.end()
    return GetMetadata(tag, mailbox, entries, *(options or ()))


def parse_set_metadata(tag: bytes, cursor: Cursor) -> SetMetadata:
    """Read mailbox, and pairs of entry and value."""
    cursor.space()
    mailbox = _mailbox(cursor)
    cursor.space()
    values = cursor.parenthesised(lambda: _pair(cursor), MAX_ENTRIES)
    if not values:
        raise CommandError("expected an entry and its value")
    cursor.end()
    return SetMetadata(tag, mailbox, tuple(values))


def metadata_line(name: str, values: Iterable[tuple[str, bytes | None]], *, utf8: bool = False) -> bytes:
    """Write METADATA with values, NIL for None (RFC 5464 §4.4.1); an empty name is the server's."""
    words = (_entry_name(entry.encode("ascii")) + b" " + nstring(value) for entry, value in values)
    written = mailbox_name(name, utf8=utf8) if name else b'""'
    return b"* METADATA %b (%b)\r\n" % (written, b" ".join(words))


def changed_line(name: str, entries: Iterable[str], *, utf8: bool = False) -> bytes:
    """Write METADATA that nobody asked for: names of entries alone (RFC 5464 §4.4.2)."""
    written = mailbox_name(name, utf8=utf8) if name else b'""'
    return b"* METADATA %b %b\r\n" % (
        written,
        b" ".join(_entry_name(entry.encode("ascii")) for entry in entries),
    )


def _entry_name(raw: bytes) -> bytes:
    return raw if _PLAIN.fullmatch(raw) else string(raw)


def long_entries(octets: int) -> bytes:
    """Give the size of the largest value that MAXSIZE kept back (RFC 5464 §4.2.1)."""
    return b"METADATA LONGENTRIES %d" % octets


def max_size(octets: int) -> bytes:
    """Give the largest value that is stored (RFC 5464 §4.3)."""
    return b"METADATA MAXSIZE %d" % octets


TOO_MANY = b"METADATA TOOMANY"


def _mailbox(cursor: Cursor) -> str:
    """Take a mailbox, or the empty name."""
    return "" if cursor.skip(b'""') else cursor.mailbox()


def _options(cursor: Cursor) -> tuple[Depth, int | None]:
    depth, most = Depth.NONE, None
    for option in cursor.parenthesised(lambda: _option(cursor), MAX_OPTIONS):
        if isinstance(option, Depth):
            depth = option
        else:
            most = option
    return depth, most


def _option(cursor: Cursor) -> Depth | int:
    """Take DEPTH as a depth, or MAXSIZE as a number of octets."""
    word = cursor.word("an option")
    cursor.space()
    if word == b"MAXSIZE":
        return cursor.number()
    depth = _DEPTHS.get(cursor.word("a depth")) if word == b"DEPTH" else None
    if depth is None:
        raise CommandError("unknown option of GETMETADATA")
    return depth


def _pair(cursor: Cursor) -> tuple[str, bytes | None]:
    entry = parse_entry(cursor)
    cursor.space()
    return entry, _value(cursor)


def _value(cursor: Cursor) -> bytes | None:
    """Take a string, a literal8 (RFC 5464 §5) or NIL."""
    match = cursor.match(_LITERAL8)
    if match is None:
        return cursor.nstring("a value or NIL")
    end = cursor.position + int(match[1])
    if end > len(cursor.data):
        raise cursor.error("a whole literal")
    value = cursor.data[cursor.position : end]
    cursor.position = end
    return value


COMMANDS = (
    CommandSpec(b"GETMETADATA", GetMetadata, parse_get_metadata, AFTER_LOGIN),
    CommandSpec(b"SETMETADATA", SetMetadata, parse_set_metadata, AFTER_LOGIN),
)
