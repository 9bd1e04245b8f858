"""COPY and MOVE with their UID forms (RFC 9051 §6.4.7, §6.4.8)."""

from collections.abc import Callable
from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import MAILBOX_OPEN


@dataclass(frozen=True, slots=True)
class Transfer(Command):
    """Messages of the selected mailbox (UIDs if `uid`) and where they go."""

    messages: SequenceSet
    mailbox: str
    uid: bool


@dataclass(frozen=True, slots=True)
class Copy(Transfer):
    """COPY or UID COPY."""


@dataclass(frozen=True, slots=True)
class Move(Transfer):
    """MOVE or UID MOVE."""


def _parser(value: type[Transfer], *, uid: bool) -> Callable[[bytes, Cursor], Command]:
    def parse(tag: bytes, cursor: Cursor) -> Command:
        cursor.space()
        messages = cursor.sequence_set()
        cursor.space()
        mailbox = cursor.mailbox()
        cursor.end()
        return value(tag, messages, mailbox, uid)

    return parse


COMMANDS = (
    CommandSpec(b"COPY", Copy, _parser(Copy, uid=False), MAILBOX_OPEN),
    CommandSpec(b"UID COPY", Copy, _parser(Copy, uid=True), MAILBOX_OPEN),
    CommandSpec(b"MOVE", Move, _parser(Move, uid=False), MAILBOX_OPEN),
    CommandSpec(b"UID MOVE", Move, _parser(Move, uid=True), MAILBOX_OPEN),
)
