"""LIST with its options, and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590)."""

from dataclasses import dataclass, field
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_LIST_PATTERNS, MAX_MAILBOX_BYTES
from freehold.protocols.imap.mailbox_name import decode_name_text
from freehold.protocols.imap.metadata_entry import MAX_ENTRIES, parse_entries
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
    `metadata` are entries to be told of each mailbox (RFC 9590), as the client spells them.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[ListSelection] = frozenset()
    returns: frozenset[ListReturn] = frozenset()
    status_items: tuple[StatusItem, ...] = ()
    extended: bool = False
    metadata: tuple[str, ...] = ()


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
    wanted = _Wanted()
    if cursor.more():
        extended = True
        wanted.read(cursor)
    cursor.end()
    return ListMailboxes(
        tag,
        reference,
        tuple(pattern for pattern in found if pattern is not None),
        selection,
        frozenset(wanted.options),
        tuple(wanted.status_items),
        extended,
        tuple(wanted.metadata),
    )


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


@dataclass(slots=True)
class _Wanted:
    """What RETURN asks for; status items and entries each once, in order."""

    options: set[ListReturn] = field(default_factory=set)
    status_items: dict[StatusItem, None] = field(default_factory=dict)
    metadata: dict[str, None] = field(default_factory=dict)

    def read(self, cursor: Cursor) -> None:
        """Take RETURN and its options."""
        if cursor.word("RETURN") != b"RETURN":
            raise CommandError("expected RETURN")
        cursor.space()
        cursor.parenthesised(lambda: self._read_option(cursor))

    def _read_option(self, cursor: Cursor) -> None:
        word = cursor.word("a return option")
        if word == b"STATUS":
            cursor.space()
            self.status_items.update(dict.fromkeys(parse_status_items(cursor)))
        elif word == b"METADATA":
            cursor.space()
            self.metadata.update(dict.fromkeys(parse_entries(cursor)))
            if len(self.metadata) > MAX_ENTRIES:
                raise CommandError("too many entries")
        elif word in _RETURNS:
            self.options.add(_RETURNS[word])
        else:
            raise CommandError("unknown return option")


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
