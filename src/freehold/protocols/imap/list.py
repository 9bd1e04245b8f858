"""LIST with its options, and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440)."""

from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_LIST_PATTERNS, MAX_MAILBOX_BYTES
from freehold.protocols.imap.mailbox_name import decode_name_text
from freehold.protocols.imap.states import AFTER_LOGIN
from freehold.protocols.imap.status import StatusItem, parse_status_items


class ListSelection(Enum):
    """Which mailboxes LIST names."""

    SUBSCRIBED = b"SUBSCRIBED"
    REMOTE = b"REMOTE"
    RECURSIVEMATCH = b"RECURSIVEMATCH"
    SPECIAL_USE = b"SPECIAL-USE"


class ListReturn(Enum):
    """What LIST tells about each."""

    SUBSCRIBED = b"SUBSCRIBED"
    CHILDREN = b"CHILDREN"
    SPECIAL_USE = b"SPECIAL-USE"
    MYRIGHTS = b"MYRIGHTS"


_SELECTIONS = {option.value: option for option in ListSelection}
_RETURNS = {option.value: option for option in ListReturn}
_NEED_A_BASE = {ListSelection.RECURSIVEMATCH, ListSelection.REMOTE}


@dataclass(frozen=True, slots=True)
class ListMailboxes(Command):
    """LIST.

    A pattern that is no valid name in any encoding can match nothing and is left out of `patterns`.
    `extended` says that options or several patterns were given, so `""` asks for no delimiter.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[ListSelection] = frozenset()
    returns: frozenset[ListReturn] = frozenset()
    status_items: tuple[StatusItem, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class ListSubscribed(Command):
    """LSUB (RFC 3501 §6.3.9); the pattern may be unmatchable, then None."""

    reference: str
    pattern: str | None


def parse_list(tag: bytes, cursor: Cursor) -> ListMailboxes:
    """Read LIST in its basic or extended form."""
    cursor.space()
    selection: frozenset[ListSelection] = frozenset()
    extended = cursor.looking_at(b"(")
    if extended:
        selection = _selection(cursor)
        cursor.space()
    reference = _reference(cursor)
    cursor.space()
    if cursor.looking_at(b"("):
        extended = True
        found = cursor.parenthesised(lambda: _pattern(cursor), MAX_LIST_PATTERNS)
        if not found:
            raise CommandError("expected a mailbox pattern")
    else:
        found = [_pattern(cursor)]
    returns: frozenset[ListReturn] = frozenset()
    items: tuple[StatusItem, ...] = ()
    if cursor.more():
        extended = True
        returns, items = _returns(cursor)
    cursor.end()
    patterns = tuple(pattern for pattern in found if pattern is not None)
    return ListMailboxes(tag, reference, patterns, selection, returns, items, extended)


def parse_lsub(tag: bytes, cursor: Cursor) -> ListSubscribed:
    """Read reference and pattern."""
    cursor.space()
    reference = _reference(cursor)
    cursor.space()
    pattern = _pattern(cursor)
    cursor.end()
    return ListSubscribed(tag, reference, pattern)


def _selection(cursor: Cursor) -> frozenset[ListSelection]:
    selection = frozenset(cursor.parenthesised(lambda: _selection_option(cursor)))
    if ListSelection.RECURSIVEMATCH in selection and selection <= _NEED_A_BASE:
        raise CommandError("RECURSIVEMATCH needs a selection option such as SUBSCRIBED")
    return selection


def _selection_option(cursor: Cursor) -> ListSelection:
    option = _SELECTIONS.get(cursor.word("a selection option"))
    if option is None:
        raise CommandError("unknown selection option")
    return option


def _returns(cursor: Cursor) -> tuple[frozenset[ListReturn], tuple[StatusItem, ...]]:
    if cursor.word("RETURN") != b"RETURN":
        raise CommandError("expected RETURN")
    cursor.space()
    items: list[StatusItem] = []
    options = cursor.parenthesised(lambda: _return_option(cursor, items))
    return frozenset(option for option in options if option is not None), tuple(dict.fromkeys(items))


def _return_option(cursor: Cursor, items: list[StatusItem]) -> ListReturn | None:
    """Take one return option; that of STATUS goes to `items` and gives None."""
    word = cursor.word("a return option")
    if word == b"STATUS":
        cursor.space()
        items.extend(parse_status_items(cursor))
        return None
    option = _RETURNS.get(word)
    if option is None:
        raise CommandError("unknown return option")
    return option


def _reference(cursor: Cursor) -> str:
    raw = cursor.astring("a reference name")
    if len(raw) > MAX_MAILBOX_BYTES:
        raise CommandError("reference name too long")
    return decode_name_text(raw, utf8=cursor.utf8)


def _pattern(cursor: Cursor) -> str | None:
    raw = cursor.list_pattern()
    if len(raw) > MAX_MAILBOX_BYTES:
        raise CommandError("mailbox pattern too long")
    try:
        return decode_name_text(raw, utf8=cursor.utf8)
    except CommandError:
        return None


COMMANDS = (
    CommandSpec(b"LIST", ListMailboxes, parse_list, AFTER_LOGIN),
    CommandSpec(b"LSUB", ListSubscribed, parse_lsub, AFTER_LOGIN),
)
