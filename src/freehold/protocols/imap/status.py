"""STATUS (RFC 9051 §6.3.11, RFC 8438, RFC 7162 §3.1.7, RFC 7889 §3.1, RFC 9208 §4.1.4, RFC 8474 §4.3)."""

from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.states import AFTER_LOGIN


class StatusItem(Enum):
    """What STATUS can ask; the value is the word on the wire."""

    MESSAGES = b"MESSAGES"
    RECENT = b"RECENT"
    UIDNEXT = b"UIDNEXT"
    UIDVALIDITY = b"UIDVALIDITY"
    UNSEEN = b"UNSEEN"
    DELETED = b"DELETED"
    SIZE = b"SIZE"
    HIGHESTMODSEQ = b"HIGHESTMODSEQ"
    APPENDLIMIT = b"APPENDLIMIT"
    MAILBOXID = b"MAILBOXID"
    DELETED_STORAGE = b"DELETED-STORAGE"


_ITEMS = {item.value: item for item in StatusItem}


@dataclass(frozen=True, slots=True)
class MailboxStatus(Command):
    """STATUS; each item once, in the order asked."""

    mailbox: str
    items: tuple[StatusItem, ...]


def parse_status_items(cursor: Cursor) -> tuple[StatusItem, ...]:
    """Take a parenthesised list of at least one item; LIST's STATUS return option has it too."""
    items = tuple(dict.fromkeys(cursor.parenthesised(lambda: _item(cursor))))
    if not items:
        raise CommandError("expected a status item")
    return items


def parse_status(tag: bytes, cursor: Cursor) -> MailboxStatus:
    """Read the mailbox and the items."""
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    items = parse_status_items(cursor)
    cursor.end()
    return MailboxStatus(tag, mailbox, items)


def _item(cursor: Cursor) -> StatusItem:
    item = _ITEMS.get(cursor.word("a status item"))
    if item is None:
        raise CommandError("unknown status item")
    return item


COMMANDS = (CommandSpec(b"STATUS", MailboxStatus, parse_status, AFTER_LOGIN),)
