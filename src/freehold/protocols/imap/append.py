"""APPEND, also of several messages (RFC 9051 §6.3.12, RFC 3502).

A message is never held here: this file reads what stands before each message's literal, and the connection
streams the octets. `APPEND` is therefore in the registry only to answer a command without a literal.
"""

import re
from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.states import AFTER_LOGIN

# The mailbox may itself be a literal; then nothing stands between the command's name and the brace.
_BEFORE_MAILBOX = re.compile(rb"[^ ]+ +APPEND +", re.IGNORECASE)
_COMMAND = re.compile(rb"[^ ]+ +APPEND", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MessageHeading:
    """What the client says of one message: flags, and the date it wants as INTERNALDATE, if any."""

    flags: tuple[str, ...]
    internal_date_ms: int | None


def is_mailbox_literal(text: bytes) -> bool:
    """Tell whether a literal behind `text` would be APPEND's mailbox name instead of a message."""
    return _BEFORE_MAILBOX.fullmatch(text) is not None


def parse_append_start(text: bytes, *, utf8: bool) -> tuple[str, MessageHeading]:
    """Read `tag APPEND mailbox [flags] [date]` up to the first message's literal."""
    cursor = Cursor(text, utf8=utf8)
    cursor.take(_COMMAND, "APPEND")
    cursor.space()
    mailbox = cursor.mailbox()
    return mailbox, _heading(cursor)


def parse_append_next(text: bytes) -> MessageHeading:
    """Read ` [flags] [date]` of a further message up to its literal."""
    return _heading(Cursor(text))


def parse_append_without_message(_tag: bytes, cursor: Cursor) -> Command:
    """Refuse an APPEND that has no literal.

    Raises:
        CommandError: always; what is wrong with it.
    """
    cursor.space()
    cursor.mailbox()
    _heading(cursor)
    raise cursor.error("a message as a literal")


def _heading(cursor: Cursor) -> MessageHeading:
    cursor.space()
    flags: tuple[str, ...] = ()
    if cursor.looking_at(b"("):
        flags = cursor.flag_list()
        cursor.space()
    date_ms = None
    if cursor.looking_at(b'"'):
        date_ms = cursor.date_time()
        cursor.space()
    cursor.end()
    return MessageHeading(flags, date_ms)


COMMANDS = (CommandSpec(b"APPEND", Command, parse_append_without_message, AFTER_LOGIN),)
