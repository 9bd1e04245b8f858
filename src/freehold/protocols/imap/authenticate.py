"""STARTTLS, AUTHENTICATE with an initial response, LOGIN (RFC 9051 §6.2, RFC 4959)."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field

from freehold.protocols.imap.commands import Command, CommandSpec, bare
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.states import BEFORE_LOGIN, State

# sasl-mech (RFC 4422 §3.1)
_MECHANISM = re.compile(rb"[A-Za-z0-9_-]{1,20}")
# initial-resp = base64 / "="
_INITIAL = re.compile(rb"[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class StartTls(Command):
    """STARTTLS: reply, start TLS, then call the connection's `tls_started`."""


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """AUTHENTICATE: go on with the connection's `challenge`, or with the tagged reply."""

    mechanism: str
    initial_response: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login(Command):
    """LOGIN; the octets are as sent, since their charset is the account's affair."""

    user: bytes
    password: bytes = field(repr=False)


def decode_response(line: bytes) -> bytes:
    """Decode one base64 line of the client.

    Raises:
        CommandError: it is no base64.
    """
    try:
        return b64decode(line, validate=True)
    except Base64Error as error:
        raise CommandError("invalid base64") from error


def parse_authenticate(tag: bytes, cursor: Cursor) -> Authenticate:
    """Read the mechanism and perhaps an initial response; `=` is an empty one (RFC 4959 §3)."""
    cursor.space()
    mechanism = cursor.take(_MECHANISM, "a SASL mechanism").upper().decode("ascii")
    response = None
    if cursor.more():
        coded = cursor.take(_INITIAL, "an initial response in base64")
        response = b"" if coded == b"=" else decode_response(coded)
    cursor.end()
    return Authenticate(tag, mechanism, response)


def parse_login(tag: bytes, cursor: Cursor) -> Login:
    """Read user name and password."""
    cursor.space()
    user = cursor.astring("a user name")
    cursor.space()
    password = cursor.astring("a password")
    cursor.end()
    return Login(tag, user, password)


COMMANDS = (
    CommandSpec(b"STARTTLS", StartTls, bare(StartTls), BEFORE_LOGIN),
    CommandSpec(b"AUTHENTICATE", Authenticate, parse_authenticate, BEFORE_LOGIN, State.AUTHENTICATED),
    CommandSpec(b"LOGIN", Login, parse_login, BEFORE_LOGIN, State.AUTHENTICATED),
)
