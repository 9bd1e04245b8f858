"""STORE and UID STORE, with UNCHANGEDSINCE (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

import re
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import MAX_NUMBER63, Cursor, unique_flags
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_FLAGS
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import MAILBOX_OPEN

# store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP …
_ACTION = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?= )", re.IGNORECASE)


class StoreAction(Enum):
    """What happens to the message's flags."""

    REPLACE = b""
    ADD = b"+"
    REMOVE = b"-"


_ACTIONS = {action.value: action for action in StoreAction}


@dataclass(frozen=True, slots=True)
class Store(Command):
    """STORE, or UID STORE if `uid`; `unchanged_since` is a mod-sequence."""

    messages: SequenceSet
    uid: bool
    action: StoreAction
    flags: tuple[str, ...]
    silent: bool = False
    unchanged_since: int | None = None


def parse_store(tag: bytes, cursor: Cursor) -> Store:
    """Read STORE's arguments."""
    return _parse(tag, cursor, uid=False)


def parse_uid_store(tag: bytes, cursor: Cursor) -> Store:
    """Read UID STORE's arguments."""
    return _parse(tag, cursor, uid=True)


def _parse(tag: bytes, cursor: Cursor, *, uid: bool) -> Store:
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    unchanged_since = None
    if cursor.looking_at(b"("):
        unchanged_since = _unchanged_since(cursor)
        cursor.space()
    match = cursor.match(_ACTION)
    if match is None:
        raise cursor.error("FLAGS, +FLAGS or -FLAGS")
    cursor.space()
    flags = cursor.flag_list() if cursor.looking_at(b"(") else _bare_flags(cursor)
    cursor.end()
    return Store(tag, messages, uid, _ACTIONS[match[1]], flags, match[2] is not None, unchanged_since)


def _unchanged_since(cursor: Cursor) -> int:
    cursor.open()
    if cursor.word("UNCHANGEDSINCE") != b"UNCHANGEDSINCE":
        raise CommandError("unknown store modifier")
    cursor.space()
    value = cursor.number(MAX_NUMBER63)
    cursor.close()
    return value


def _bare_flags(cursor: Cursor) -> tuple[str, ...]:
    flags = [cursor.flag()]
    while cursor.more():
        if len(flags) >= MAX_FLAGS:
            raise CommandError("too many flags")
        flags.append(cursor.flag())
    return unique_flags(flags)


COMMANDS = (
    CommandSpec(b"STORE", Store, parse_store, MAILBOX_OPEN),
    CommandSpec(b"UID STORE", Store, parse_uid_store, MAILBOX_OPEN),
)
