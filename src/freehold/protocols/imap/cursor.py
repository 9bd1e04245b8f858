"""Reads the arguments of one command from left to right.

The command is one byte string with its literals in place (`{5}` CRLF and the five octets). Each method
takes one production of RFC 9051 §9 at the current position or raises `CommandError`.
Kinder than the grammar where clients need it: several spaces count as one, also inside parentheses.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from freehold.protocols.imap.dates import parse_date, parse_date_time
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.flags import RECENT, parse_flag
from freehold.protocols.imap.limits import MAX_ARGUMENTS, MAX_FLAGS
from freehold.protocols.imap.mailbox_name import decode_mailbox_name
from freehold.protocols.imap.sequence_set import SequenceSet

T = TypeVar("T")

MAX_NUMBER32 = 2**32 - 1
MAX_NUMBER63 = 2**63 - 1

# ATOM-CHAR = any CHAR but ( ) { SP CTL % * DQUOTE \ ]
ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
# ASTRING-CHAR = ATOM-CHAR / "]"
_ASTRING = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
# list-char = ATOM-CHAR / list-wildcards / "]"
_LIST_CHARS = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]+')
# flag = "\" atom / atom
_FLAG = re.compile(rb'\\?[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
# quoted = DQUOTE *QUOTED-CHAR DQUOTE; octets over 127 are left to whoever decodes the string
_QUOTED = re.compile(rb'"([^"\\\x00\r\n]*(?:\\["\\][^"\\\x00\r\n]*)*)"')
_ESCAPE = re.compile(rb"\\(.)")
_LITERAL = re.compile(rb"\{(\d{1,20})\+?\}\r\n")
_NUMBER = re.compile(rb"\d{1,20}")
_SEQUENCE_SET = re.compile(rb"[\d*][\d*:,]*|\$")
_SPACES = re.compile(rb" +")
_DATE = re.compile(rb'"[\dA-Za-z-]+"|[\dA-Za-z-]+')
_WORD = re.compile(rb"[A-Za-z0-9.=/_-]+")


class Cursor:
    """A position in one command's text."""

    __slots__ = ("data", "position", "utf8")

    def __init__(self, data: bytes, position: int = 0, *, utf8: bool = False) -> None:
        self.data = data
        self.position = position
        self.utf8 = utf8

    def error(self, expected: str) -> CommandError:
        """Build the error that names what should stand here; it quotes nothing that the client sent."""
        return CommandError(f"expected {expected} at octet {self.position + 1}")

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what the pattern matches here, or stay."""
        match = pattern.match(self.data, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def take(self, pattern: re.Pattern[bytes], expected: str) -> bytes:
        """Take what the pattern matches here; group 1 if it has one."""
        match = pattern.match(self.data, self.position)
        if match is None:
            raise self.error(expected)
        self.position = match.end()
        return match[pattern.groups]

    def skip(self, token: bytes) -> bool:
        """Take the token if it stands here."""
        if self.data.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def looking_at(self, token: bytes) -> bool:
        """Tell whether the token stands here."""
        return self.data.startswith(token, self.position)

    def space(self) -> None:
        """Take at least one space."""
        if self.match(_SPACES) is None:
            raise self.error("a space")

    def more(self) -> bool:
        """Take the spaces before a further argument; False at the end and at a closing parenthesis."""
        spaces = self.match(_SPACES)
        if self.position == len(self.data) or self.looking_at(b")"):
            return False
        if spaces is None:
            raise self.error("a space")
        return True

    def end(self) -> None:
        """Check that nothing but spaces is left."""
        self.match(_SPACES)
        if self.position != len(self.data):
            raise self.error("the end of the command")

    def open(self) -> None:
        """Take an opening parenthesis."""
        if not self.skip(b"("):
            raise self.error("an opening parenthesis")
        self.match(_SPACES)

    def close(self) -> None:
        """Take a closing parenthesis."""
        self.match(_SPACES)
        if not self.skip(b")"):
            raise self.error("a closing parenthesis")

    def parenthesised(self, member: Callable[[], T], maximum: int = MAX_ARGUMENTS) -> list[T]:
        """Take a parenthesised list, which may be empty, of what `member` takes."""
        self.open()
        members: list[T] = []
        if self.skip(b")"):
            return members
        members.append(member())
        while self.match(_SPACES) and not self.looking_at(b")"):
            if len(members) >= maximum:
                raise CommandError("too many members in a list")
            members.append(member())
        self.close()
        return members

    def word(self, expected: str) -> bytes:
        """Take a keyword of the grammar, upper-cased."""
        return self.take(_WORD, expected).upper()

    def atom(self, expected: str = "an atom") -> bytes:
        """Take an atom."""
        return self.take(ATOM, expected)

    def string(self, expected: str = "a string") -> bytes:
        """Take a quoted string or a literal."""
        match = self.match(_QUOTED)
        if match is not None:
            content = match[1]
            return _ESCAPE.sub(rb"\1", content) if b"\\" in content else content
        match = self.match(_LITERAL)
        if match is None:
            raise self.error(expected)
        return self._literal(int(match[1]))

    def astring(self, expected: str = "a string") -> bytes:
        """Take an atom (in which "]" is allowed), a quoted string or a literal."""
        match = self.match(_ASTRING)
        return self.string(expected) if match is None else match[0]

    def nstring(self, expected: str = "a string or NIL") -> bytes | None:
        """Take a string, or NIL as None."""
        if self.data[self.position : self.position + 3].upper() == b"NIL":
            self.position += 3
            return None
        return self.string(expected)

    def list_pattern(self) -> bytes:
        """Take a mailbox name with wildcards, undecoded (list-mailbox)."""
        match = self.match(_LIST_CHARS)
        return self.string("a mailbox pattern") if match is None else match[0]

    def mailbox(self) -> str:
        """Take a mailbox name, decoded."""
        return decode_mailbox_name(self.astring("a mailbox name"), utf8=self.utf8)

    def number(self, maximum: int = MAX_NUMBER32) -> int:
        """Take a number from 0 to `maximum`."""
        number = int(self.take(_NUMBER, "a number"))
        if number > maximum:
            raise CommandError("number out of range")
        return number

    def nz_number(self, maximum: int = MAX_NUMBER32) -> int:
        """Take a number from 1 to `maximum`."""
        number = self.number(maximum)
        if not number:
            raise CommandError("number must not be zero")
        return number

    def sequence_set(self) -> SequenceSet:
        """Take a set of message numbers or UIDs, or `$`."""
        return SequenceSet.parse(self.take(_SEQUENCE_SET, "a sequence set"))

    def flag(self) -> str:
        """Take one flag."""
        return parse_flag(self.take(_FLAG, "a flag"))

    def flag_list(self) -> tuple[str, ...]:
        r"""Take parenthesised flags; each once, without `\Recent`, which no client can set."""
        return unique_flags(self.parenthesised(self.flag, MAX_FLAGS))

    def date(self) -> int:
        """Take a date, quoted or not, as UTC milliseconds of its midnight."""
        return parse_date(self.take(_DATE, "a date").strip(b'"'))

    def date_time(self) -> int:
        """Take a quoted date-time as UTC milliseconds."""
        return parse_date_time(self.string("a date-time"))

    def _literal(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self.data):
            raise self.error("a whole literal")
        content = self.data[self.position : end]
        self.position = end
        if 0 in content:
            raise CommandError("NUL in a literal")
        return content


def unique_flags(flags: list[str]) -> tuple[str, ...]:
    r"""Give each flag once, in order, without `\Recent`."""
    return tuple(flag for flag in dict.fromkeys(flags) if flag != RECENT)
