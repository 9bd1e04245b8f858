"""SELECT, EXAMINE, CLOSE, UNSELECT, CHECK, with CONDSTORE and QRESYNC (RFC 9051 §6.3, §6.4, RFC 7162 §3)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec, bare
from freehold.protocols.imap.cursor import MAX_NUMBER63, Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import AFTER_LOGIN, MAILBOX_OPEN, State


@dataclass(frozen=True, slots=True)
class Resynchronisation:
    """What the client knew at last (RFC 7162 §3.2.5).

    `known_numbers` and `their_uids` are its sample of message numbers and the UIDs they had.
    """

    uid_validity: int
    mod_sequence: int
    known_uids: SequenceSet | None = None
    known_numbers: SequenceSet | None = None
    their_uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Select(Command):
    """SELECT, or EXAMINE if `read_only`."""

    mailbox: str
    read_only: bool
    condstore: bool = False
    qresync: Resynchronisation | None = None


@dataclass(frozen=True, slots=True)
class Close(Command):
    """CLOSE: expunge silently unless opened read-only, then leave the mailbox."""


@dataclass(frozen=True, slots=True)
class Unselect(Command):
    """UNSELECT: leave the mailbox without expunging (RFC 3691)."""


@dataclass(frozen=True, slots=True)
class Check(Command):
    """CHECK (RFC 3501 §6.4.1; gone from IMAP4rev2)."""


def parse_select(tag: bytes, cursor: Cursor) -> Select:
    """Read SELECT's arguments."""
    return _parse(tag, cursor, read_only=False)


def parse_examine(tag: bytes, cursor: Cursor) -> Select:
    """Read EXAMINE's arguments, which are SELECT's."""
    return _parse(tag, cursor, read_only=True)


def _parse(tag: bytes, cursor: Cursor, *, read_only: bool) -> Select:
    cursor.space()
    mailbox = cursor.mailbox()
    condstore, qresync = False, None
    if cursor.more():
        for parameter in cursor.parenthesised(lambda: _parameter(cursor)):
            if parameter is None:
                condstore = True
            elif qresync is not None:
                raise CommandError("QRESYNC given twice")
            else:
                qresync = parameter
    cursor.end()
    return Select(tag, mailbox, read_only, condstore, qresync)


def _parameter(cursor: Cursor) -> Resynchronisation | None:
    """Take one select-param: CONDSTORE gives None."""
    match cursor.word("a select parameter"):
        case b"CONDSTORE":
            return None
        case b"QRESYNC":
            cursor.space()
            return _resynchronisation(cursor)
        case _:
            raise CommandError("unknown select parameter")


def _resynchronisation(cursor: Cursor) -> Resynchronisation:
    cursor.open()
    uid_validity = cursor.nz_number()
    cursor.space()
    mod_sequence = cursor.number(MAX_NUMBER63)
    uids = numbers = their_uids = None
    more = cursor.more()
    if more and not cursor.looking_at(b"("):
        uids = _known(cursor)
        more = cursor.more()
    if more:
        cursor.open()
        numbers = _known(cursor)
        cursor.space()
        their_uids = _known(cursor)
        cursor.close()
    cursor.close()
    return Resynchronisation(uid_validity, mod_sequence, uids, numbers, their_uids)


def _known(cursor: Cursor) -> SequenceSet:
    """Take a set in which `*` and `$` are not allowed (known-uids, RFC 7162 §7)."""
    known = cursor.sequence_set()
    if known.has_star or known.is_saved_result:
        raise CommandError('"*" and "$" are not allowed in QRESYNC')
    return known


COMMANDS = (
    CommandSpec(b"SELECT", Select, parse_select, AFTER_LOGIN, State.SELECTED, State.AUTHENTICATED),
    CommandSpec(b"EXAMINE", Select, parse_examine, AFTER_LOGIN, State.SELECTED, State.AUTHENTICATED),
    CommandSpec(b"CLOSE", Close, bare(Close), MAILBOX_OPEN, State.AUTHENTICATED),
    CommandSpec(b"UNSELECT", Unselect, bare(Unselect), MAILBOX_OPEN, State.AUTHENTICATED),
    CommandSpec(b"CHECK", Check, bare(Check), MAILBOX_OPEN),
)
