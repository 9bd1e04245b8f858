"""Command lines, decoded to values (RFC 1939 §5, RFC 1939 §7, RFC 2449 §4, RFC 5034 §4).

Keywords are taken in any case. A blank at the end of a line is forgiven; PASS is taken to its last octet,
for a password may end in one.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from freehold.protocols.pop3.errors import CommandError
from freehold.protocols.pop3.events import (
    Auth,
    AuthList,
    Capa,
    Dele,
    Event,
    List,
    Noop,
    Quit,
    Reset,
    Retr,
    StartTls,
    Stat,
    Top,
    Uidl,
    User,
)
from freehold.protocols.pop3.limits import MAX_NUMBER_DIGITS
from freehold.protocols.pop3.states import State


@dataclass(frozen=True, slots=True)
class Password:
    """PASS; whose it is the connection knows."""

    secret: bytes = field(repr=False)


Command = Event | Password
Parser = Callable[[bytes], Command]

_NUMBER = re.compile(rb"[0-9]{1,%d}\Z" % MAX_NUMBER_DIGITS)
# sasl-mech = 1*20mech-char (RFC 4422 §3.1)
_AUTH = re.compile(rb"([A-Za-z0-9_-]{1,20})(?: +([!-~]+))?\Z")


def parse_command(line: bytes, state: State) -> Command:
    """Decode a line without its end.

    Raises:
        CommandError: it is unknown, malformed, or out of order.
    """
    keyword, _, argument = line.partition(b" ")
    keyword = keyword.upper()
    parser = _PARSERS[state].get(keyword)
    if parser is None:
        is_known = any(keyword in table for table in _PARSERS.values())
        raise CommandError("Not allowed in this state" if is_known else "Unknown command")
    return parser(argument)


def decode_base64(line: bytes) -> bytes:
    """Return the octets of one strict base64 line.

    Raises:
        CommandError: it is not base64.
    """
    try:
        return binascii.a2b_base64(line, strict_mode=True) if line else b""
    except binascii.Error:
        raise CommandError("Not base64") from None


def _user(argument: bytes) -> Event:
    name = argument.strip(b" ")
    if not name:
        raise CommandError("A name is needed")
    return User(name)


def _password(argument: bytes) -> Password:
    if not argument:
        raise CommandError("A password is needed")
    return Password(argument)


def _auth(argument: bytes) -> Event:
    argument = argument.strip(b" ")
    if not argument:
        return AuthList()
    match = _AUTH.match(argument)
    if match is None:
        raise CommandError
    mechanism, initial = match[1].decode("ascii").upper(), match[2]
    if initial is None:
        return Auth(mechanism, None)
    return Auth(mechanism, b"" if initial == b"=" else decode_base64(initial))


def _list(argument: bytes) -> Event:
    return List(_number(argument) if argument.strip(b" ") else None)


def _uidl(argument: bytes) -> Event:
    return Uidl(_number(argument) if argument.strip(b" ") else None)


def _top(argument: bytes) -> Event:
    number, _, lines = argument.strip(b" ").partition(b" ")
    return Top(_number(number), _number(lines))


def _bare(event: Event) -> Parser:
    def parse(argument: bytes) -> Event:
        if argument.strip(b" "):
            raise CommandError("No argument is allowed")
        return event

    return parse


def _number(argument: bytes) -> int:
    digits = argument.strip(b" ")
    if not _NUMBER.match(digits):
        raise CommandError("A number is needed")
    return int(digits)


_ALWAYS: dict[bytes, Parser] = {b"CAPA": _bare(Capa()), b"QUIT": _bare(Quit())}
_PARSERS: dict[State, dict[bytes, Parser]] = {
    State.AUTHORIZATION: _ALWAYS
    | {b"STLS": _bare(StartTls()), b"USER": _user, b"PASS": _password, b"AUTH": _auth},
    State.TRANSACTION: _ALWAYS
    | {
        b"STAT": _bare(Stat()),
        b"LIST": _list,
        b"UIDL": _uidl,
        b"RETR": lambda argument: Retr(_number(argument)),
        b"TOP": _top,
        b"DELE": lambda argument: Dele(_number(argument)),
        b"NOOP": _bare(Noop()),
        b"RSET": _bare(Reset()),
    },
}
"""For each state: what may be said there."""
