"""CAPABILITY, NOOP, LOGOUT (RFC 9051 §6.1) and ID (RFC 2971)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec, bare
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_ID_KEY_BYTES, MAX_ID_PAIRS, MAX_ID_VALUE_BYTES
from freehold.protocols.imap.states import ANY_STATE, State


@dataclass(frozen=True, slots=True)
class Capability(Command):
    """CAPABILITY."""


@dataclass(frozen=True, slots=True)
class Noop(Command):
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Logout(Command):
    """LOGOUT."""


@dataclass(frozen=True, slots=True)
class Identify(Command):
    """ID: what the client says about itself, keys in lower case; not to be trusted."""

    parameters: tuple[tuple[str, str | None], ...]


def parse_identify(tag: bytes, cursor: Cursor) -> Identify:
    """Read `ID NIL` or `ID ("name" "value" …)`; RFC 2971 §3.3 bounds it."""
    cursor.space()
    parameters: tuple[tuple[str, str | None], ...] = ()
    if cursor.looking_at(b"("):
        parameters = tuple(cursor.parenthesised(lambda: _pair(cursor), MAX_ID_PAIRS))
    elif cursor.nstring("a parenthesised list or NIL") is not None:
        raise CommandError("expected a parenthesised list or NIL")
    cursor.end()
    return Identify(tag, parameters)


def _pair(cursor: Cursor) -> tuple[str, str | None]:
    key = cursor.string()
    cursor.space()
    value = cursor.nstring()
    if len(key) > MAX_ID_KEY_BYTES or (value is not None and len(value) > MAX_ID_VALUE_BYTES):
        raise CommandError("ID field or value too long")
    return key.decode("utf-8", "replace").lower(), None if value is None else value.decode("utf-8", "replace")


COMMANDS = (
    CommandSpec(b"CAPABILITY", Capability, bare(Capability), ANY_STATE),
    CommandSpec(b"NOOP", Noop, bare(Noop), ANY_STATE),
    CommandSpec(b"LOGOUT", Logout, bare(Logout), ANY_STATE, State.LOGOUT, State.LOGOUT),
    CommandSpec(b"ID", Identify, parse_identify, ANY_STATE),
)
