"""SORT and UID SORT with RETURN (RFC 5256 §3, RFC 5957, RFC 5267 §3)."""

from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_SORT_KEYS
from freehold.protocols.imap.search import marking_saves, parse_charset, parse_criteria
from freehold.protocols.imap.search_keys import SearchKey
from freehold.protocols.imap.search_return import ReturnOptions, parse_returns
from freehold.protocols.imap.states import MAILBOX_OPEN


class SortField(Enum):
    """What messages are compared by; the value is the word on the wire."""

    ARRIVAL = b"ARRIVAL"
    CC = b"CC"
    DATE = b"DATE"
    DISPLAYFROM = b"DISPLAYFROM"
    DISPLAYTO = b"DISPLAYTO"
    FROM = b"FROM"
    SIZE = b"SIZE"
    SUBJECT = b"SUBJECT"
    TO = b"TO"


_FIELDS = {field.value: field for field in SortField}


@dataclass(frozen=True, slots=True)
class SortKey:
    """One criterion; `reverse` puts the largest first."""

    field: SortField
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Sort(Command):
    """SORT, or UID SORT if `uid`.

    `order` holds each field once, the first decides first. `returns` is None for the SORT response
    instead of ESEARCH. `wants_mod_sequence` says that MODSEQ was among the search keys.
    """

    uid: bool
    order: tuple[SortKey, ...]
    key: SearchKey
    returns: ReturnOptions | None = None
    wants_mod_sequence: bool = False


def parse_sort(tag: bytes, cursor: Cursor) -> Sort:
    """Read SORT's arguments."""
    return _parse(tag, cursor, uid=False)


def parse_uid_sort(tag: bytes, cursor: Cursor) -> Sort:
    """Read UID SORT's arguments."""
    return _parse(tag, cursor, uid=True)


def _parse(tag: bytes, cursor: Cursor, *, uid: bool) -> Sort:
    cursor.space()
    returns = parse_returns(cursor)
    keys = cursor.parenthesised(lambda: _sort_key(cursor), MAX_SORT_KEYS)
    if not keys:
        raise CommandError("expected a sort criterion")
    order: dict[SortField, SortKey] = {}
    for key in keys:
        order.setdefault(key.field, key)  # a field that was compared already decides nothing any more
    cursor.space()
    with marking_saves(returns):
        criteria = parse_criteria(cursor, parse_charset(cursor))
    return Sort(tag, uid, tuple(order.values()), criteria.key, returns, criteria.wants_mod_sequence)


def _sort_key(cursor: Cursor) -> SortKey:
    word = cursor.word("a sort criterion")
    reverse = word == b"REVERSE"
    if reverse:
        cursor.space()
        word = cursor.word("a sort criterion")
    field = _FIELDS.get(word)
    if field is None:
        raise CommandError("unknown sort criterion")
    return SortKey(field, reverse)


COMMANDS = (
    CommandSpec(b"SORT", Sort, parse_sort, MAILBOX_OPEN),
    CommandSpec(b"UID SORT", Sort, parse_uid_sort, MAILBOX_OPEN),
)
