"""FETCH and UID FETCH with CHANGEDSINCE and VANISHED (RFC 9051 §6.4.5, RFC 7162 §3.1.4, §3.2.6).

Further items: EMAILID and THREADID (RFC 8474 §5.3), SAVEDATE (RFC 8514 §4.2), PREVIEW (RFC 8970 §3).
"""

import re
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.binary_section import BINARY_WORDS, BinarySection, parse_binary_section
from freehold.protocols.imap.body_section import BodySection, SectionText, parse_body_section
from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import MAX_NUMBER63, Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_FETCH_ITEMS
from freehold.protocols.imap.partial import PartialRange, parse_partial
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import MAILBOX_OPEN


class FetchAttribute(Enum):
    """A data item without arguments; the value is the word on the wire."""

    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    EMAILID = b"EMAILID"
    ENVELOPE = b"ENVELOPE"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    MODSEQ = b"MODSEQ"
    PREVIEW = b"PREVIEW"
    PREVIEW_LAZY = b"PREVIEW (LAZY)"
    RFC822_SIZE = b"RFC822.SIZE"
    SAVEDATE = b"SAVEDATE"
    THREADID = b"THREADID"
    UID = b"UID"


FetchItem = FetchAttribute | BodySection | BinarySection

_ITEMS: dict[bytes, FetchItem] = {item.value: item for item in FetchAttribute}
# The three old names of body sections (RFC 3501 §6.4.5).
_ITEMS[b"RFC822"] = BodySection(b"RFC822", peek=False)
_ITEMS[b"RFC822.HEADER"] = BodySection(b"RFC822.HEADER", peek=True, text=SectionText.HEADER)
_ITEMS[b"RFC822.TEXT"] = BodySection(b"RFC822.TEXT", peek=False, text=SectionText.TEXT)

_FAST = (FetchAttribute.FLAGS, FetchAttribute.INTERNALDATE, FetchAttribute.RFC822_SIZE)
_MACROS: dict[bytes, tuple[FetchItem, ...]] = {
    b"FAST": _FAST,
    b"ALL": (*_FAST, FetchAttribute.ENVELOPE),
    b"FULL": (*_FAST, FetchAttribute.ENVELOPE, FetchAttribute.BODY),
}

# The one modifier of PREVIEW (RFC 8970 §4.1); any other parenthesis behind it is FETCH's own.
_LAZY = re.compile(rb" +\( *LAZY *\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fetch(Command):
    """FETCH, or UID FETCH if `uid` (the response must then contain UID, asked or not).

    Each item occurs once. `changed_since` is a mod-sequence; `vanished` comes with it.
    Of the messages that exist only the page `partial` is meant (RFC 9394 §3.3).
    """

    messages: SequenceSet
    uid: bool
    items: tuple[FetchItem, ...]
    changed_since: int | None = None
    vanished: bool = False
    partial: PartialRange | None = None


def parse_fetch(tag: bytes, cursor: Cursor) -> Fetch:
    """Read FETCH's arguments."""
    return _parse(tag, cursor, uid=False)


def parse_uid_fetch(tag: bytes, cursor: Cursor) -> Fetch:
    """Read UID FETCH's arguments."""
    return _parse(tag, cursor, uid=True)


def _parse(tag: bytes, cursor: Cursor, *, uid: bool) -> Fetch:
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    items = _items(cursor)
    modifiers = _Modifiers()
    if cursor.more():
        modifiers = _modifiers(cursor)
        if modifiers.vanished and not uid:
            raise CommandError("VANISHED is for UID FETCH")
    cursor.end()
    return Fetch(tag, messages, uid, items, modifiers.changed_since, modifiers.vanished, modifiers.partial)


def parse_fetch_list(cursor: Cursor) -> tuple[FetchItem, ...]:
    """Take a parenthesised list of at least one item, each once; NOTIFY has it too."""
    items = cursor.parenthesised(lambda: _item(cursor), MAX_FETCH_ITEMS)
    if not items:
        raise CommandError("expected a fetch item")
    return tuple(dict.fromkeys(items)) if len(items) > 1 else tuple(items)


def _items(cursor: Cursor) -> tuple[FetchItem, ...]:
    if cursor.looking_at(b"("):
        return parse_fetch_list(cursor)
    start = cursor.position
    macro = _MACROS.get(cursor.word("a fetch item or macro"))
    if macro is not None:
        return macro
    cursor.position = start
    return (_item(cursor),)


def _item(cursor: Cursor) -> FetchItem:
    word = cursor.word("a fetch item")
    if cursor.looking_at(b"["):
        if word in BINARY_WORDS:
            return parse_binary_section(cursor, word)
        return parse_body_section(cursor, word)
    item = _ITEMS.get(word)
    if item is None:
        raise CommandError("unknown fetch item")
    if item is FetchAttribute.PREVIEW and cursor.match(_LAZY) is not None:
        return FetchAttribute.PREVIEW_LAZY
    return item


@dataclass(slots=True)
class _Modifiers:
    changed_since: int | None = None
    vanished: bool = False
    partial: PartialRange | None = None


def _modifiers(cursor: Cursor) -> _Modifiers:
    found = _Modifiers()
    cursor.parenthesised(lambda: _modifier(cursor, found))
    if found.vanished and found.changed_since is None:
        raise CommandError("VANISHED needs CHANGEDSINCE")
    return found


def _modifier(cursor: Cursor, found: _Modifiers) -> None:
    match cursor.word("a fetch modifier"):
        case b"CHANGEDSINCE":
            cursor.space()
            found.changed_since = cursor.number(MAX_NUMBER63)
        case b"PARTIAL":
            cursor.space()
            found.partial = parse_partial(cursor)
        case b"VANISHED":
            found.vanished = True
        case _:
            raise CommandError("unknown fetch modifier")


COMMANDS = (
    CommandSpec(b"FETCH", Fetch, parse_fetch, MAILBOX_OPEN),
    CommandSpec(b"UID FETCH", Fetch, parse_uid_fetch, MAILBOX_OPEN),
)
