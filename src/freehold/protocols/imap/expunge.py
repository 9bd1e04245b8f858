"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, RFC 4315 §2.1)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import MAILBOX_OPEN


@dataclass(frozen=True, slots=True)
class Expunge(Command):
    """EXPUNGE; `uids` limits it to some of the messages marked as deleted."""

    uids: SequenceSet | None = None


def parse_expunge(tag: bytes, cursor: Cursor) -> Expunge:
    """Read EXPUNGE, which has no arguments."""
    cursor.end()
    return Expunge(tag)


def parse_uid_expunge(tag: bytes, cursor: Cursor) -> Expunge:
    """Read the UIDs."""
    cursor.space()
    uids = cursor.sequence_set()
    cursor.end()
    return Expunge(tag, uids)


COMMANDS = (
    CommandSpec(b"EXPUNGE", Expunge, parse_expunge, MAILBOX_OPEN),
    CommandSpec(b"UID EXPUNGE", Expunge, parse_uid_expunge, MAILBOX_OPEN),
)
