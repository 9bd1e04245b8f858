"""APPEND of one or several messages, whole or put together, and REPLACE, which sends one in the same way.

Owns RFC 9051 §6.3.12, RFC 3502 (several messages), RFC 3516 §4.4 (literal8), RFC 4469 §5 (CATENATE),
RFC 6855 §4 (UTF8) and RFC 8508 §5 (REPLACE) as far as text goes: what stands between the literals. The
octets of messages are streamed by `upload`, so nothing here ever holds one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.events import (
    AppendMessageEnd,
    AppendStarted,
    CatenateText,
    CatenateUrl,
    Event,
    Replaced,
)
from freehold.protocols.imap.limits import MAX_CATENATE_PARTS
from freehold.protocols.imap.literal import Literal
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import AFTER_LOGIN, MAILBOX_OPEN

# seq-number = nz-number / "*"
_SEQUENCE_NUMBER = re.compile(rb"[1-9]\d{0,9}|\*")


@dataclass(frozen=True, slots=True)
class UploadCommand(Command):
    """APPEND, REPLACE or UID REPLACE (`name`), up to its first literal: the connection reads it on."""

    name: bytes
    arguments: bytes


class Want(Enum):
    """What comes behind a text that was read."""

    STRING = auto()
    """A literal that is part of the text: `AppendReader.add_string` takes it."""
    CONTENT = auto()
    """A literal that is a message, or a part of one."""
    NOTHING = auto()
    """The command is complete."""


class _Stage(Enum):
    """What stands next in the text."""

    TARGET = auto()
    MESSAGE = auto()
    PART = auto()
    UTF8_END = auto()
    UTF8_PART_END = auto()


class _StringComesError(Exception):
    """The text ends where a string should stand, and a literal was announced."""


class AppendReader:
    """Reads the text of one command from literal to literal; `events` are what it has found, in order."""

    __slots__ = (
        "_literal",
        "_mailbox",
        "_messages",
        "_parts",
        "_replaced",
        "_rest",
        "_stage",
        "_utf8",
        "events",
        "name",
        "tag",
    )

    def __init__(self, tag: bytes, name: bytes, *, utf8: bool) -> None:
        self.events: list[Event] = []
        self.tag = tag
        self.name = name
        self._utf8 = utf8
        self._stage = _Stage.TARGET
        self._rest = b""
        self._literal: Literal | None = None
        self._mailbox = ""
        self._replaced: Replaced | None = None
        self._messages = 0
        self._parts = 0

    def read(self, text: bytes, literal: Literal | None) -> Want:
        """Read a text up to the literal that was announced behind it, or to the command's end.

        Raises:
            CommandError: what is wrong with it.
        """
        cursor = Cursor(self._rest + text, utf8=self._utf8)
        self._literal = literal
        self._rest = b""
        while True:
            start = cursor.position
            try:
                want = self._take(cursor)
            except _StringComesError:
                self._rest = cursor.data[start:]
                return Want.STRING
            if want is not None:
                return want

    def add_string(self, octets: bytes) -> None:
        """Take the literal that was wanted as part of the text."""
        self._rest += b"{%d}\r\n%b" % (len(octets), octets)

    def content_ended(self) -> None:
        """Note that the octets of a content are over, which may end its message."""
        if self._stage is _Stage.MESSAGE:
            self.events.append(AppendMessageEnd())

    def _take(self, cursor: Cursor) -> Want | None:
        match self._stage:
            case _Stage.TARGET:
                self._take_target(cursor)
                return None
            case _Stage.MESSAGE:
                return self._take_message(cursor)
            case _Stage.PART:
                return self._take_part(cursor)
            case _Stage.UTF8_END:
                cursor.close()
                self._end_message()
                return None
            case _Stage.UTF8_PART_END:
                cursor.close()
                self._stage = _Stage.PART
                return None

    def _take_target(self, cursor: Cursor) -> None:
        cursor.space()
        if self.name != b"APPEND":
            number = cursor.take(_SEQUENCE_NUMBER, "a message number")
            self._replaced = Replaced(SequenceSet.parse(number), uid=self.name.startswith(b"UID "))
            cursor.space()
        self._expect_string(cursor)
        self._mailbox = cursor.mailbox()
        self._stage = _Stage.MESSAGE

    def _take_message(self, cursor: Cursor) -> Want | None:
        """Take ` [flags] [date]` and the start of a message, or the end of the command behind one."""
        literal = self._literal
        if self._messages and (literal is None or self._replaced is not None) and self._is_over(cursor):
            return Want.NOTHING
        cursor.space()
        flags, date_ms = _heading(cursor)
        word = b"" if self._at_content(cursor) else cursor.word("a message as a literal")
        if word == b"CATENATE":
            cursor.space()
            cursor.open()
            self._parts = 0
            self._stage = _Stage.PART
            literal = None
        else:
            literal = self._content(cursor, word)
        self._messages += 1
        size, binary = (None, False) if literal is None else (literal.size, literal.binary)
        self.events.append(
            AppendStarted(
                self.tag, self._mailbox, flags, date_ms, size, self._messages, binary, self._replaced
            )
        )
        return None if literal is None else Want.CONTENT

    def _is_over(self, cursor: Cursor) -> bool:
        """Tell whether the command ends here; REPLACE must."""
        if self._replaced is None:
            return not cursor.data[cursor.position :].strip(b" ")
        cursor.end()
        if self._literal is not None:
            raise cursor.error("the end of the command")
        return True

    def _content(self, cursor: Cursor, word: bytes) -> Literal:
        """Return the literal that is a whole message; RFC 6855 §4 puts one into `UTF8 (~{…}…)`."""
        if word == b"UTF8":
            cursor.space()
            cursor.open()
            self._stage = _Stage.UTF8_END
        elif word:
            raise CommandError("expected a message as a literal")
        literal = self._literal
        if literal is None or not self._at_content(cursor) or (word and not literal.binary):
            raise cursor.error("a message as a literal8" if word else "a message as a literal")
        return literal

    def _take_part(self, cursor: Cursor) -> Want | None:
        """Take a part within CATENATE's parentheses, or the closing one."""
        if self._parts:
            if cursor.skip(b")"):
                self._end_message()
                return None
            cursor.space()
        word = cursor.word("TEXT, UTF8 or URL")
        cursor.space()
        if self._parts >= MAX_CATENATE_PARTS:
            raise CommandError("too many parts of a message")
        if word in {b"TEXT", b"UTF8"}:
            return self._take_text(cursor, is_utf8=word == b"UTF8")
        if word != b"URL":
            raise CommandError("expected TEXT, UTF8 or URL")
        self._expect_string(cursor)
        url = cursor.astring("a URL")
        self._parts += 1
        self.events.append(CatenateUrl(url))
        return None

    def _take_text(self, cursor: Cursor, *, is_utf8: bool) -> Want:
        """Take the start of `TEXT literal`, or of `UTF8 (literal8)` (RFC 6855 §4)."""
        if is_utf8:
            cursor.open()
        literal = self._literal
        if literal is None or not self._at_content(cursor) or (is_utf8 and not literal.binary):
            raise cursor.error("a literal8" if is_utf8 else "a literal")
        self._parts += 1
        self.events.append(CatenateText(literal.size, binary=literal.binary))
        if is_utf8:
            self._stage = _Stage.UTF8_PART_END
        return Want.CONTENT

    def _end_message(self) -> None:
        self.events.append(AppendMessageEnd())
        self._stage = _Stage.MESSAGE

    def _expect_string(self, cursor: Cursor) -> None:
        if self._at_content(cursor) and self._literal is not None and not self._literal.binary:
            raise _StringComesError

    def _at_content(self, cursor: Cursor) -> bool:
        return self._literal is not None and cursor.position == len(cursor.data)


def _heading(cursor: Cursor) -> tuple[tuple[str, ...], int | None]:
    """Take flags and date, both optional, each with the space behind it."""
    flags: tuple[str, ...] = ()
    if cursor.looking_at(b"("):
        flags = cursor.flag_list()
        cursor.space()
    date_ms = None
    if cursor.looking_at(b'"'):
        date_ms = cursor.date_time()
        cursor.space()
    return flags, date_ms


def _parser(name: bytes) -> Callable[[bytes, Cursor], Command]:
    def parse(tag: bytes, cursor: Cursor) -> Command:
        return UploadCommand(tag, name, cursor.data[cursor.position :])

    return parse


COMMANDS = (
    CommandSpec(b"APPEND", UploadCommand, _parser(b"APPEND"), AFTER_LOGIN),
    CommandSpec(b"REPLACE", UploadCommand, _parser(b"REPLACE"), MAILBOX_OPEN),
    CommandSpec(b"UID REPLACE", UploadCommand, _parser(b"UID REPLACE"), MAILBOX_OPEN),
)
