"""Server side of one POP3 connection, without I/O.

Feed bytes with `receive` and take events with `next_event`. Lines, their bounds, grammar and order of
commands are kept here; answers, decisions and time-outs belong to the session.
"""

from freehold.protocols.imap.inbox import Inbox, LineTooLongError
from freehold.protocols.pop3.commands import Password, decode_base64, parse_command
from freehold.protocols.pop3.errors import CommandError
from freehold.protocols.pop3.events import (
    NEED_DATA,
    AuthAborted,
    AuthResponse,
    BadCommand,
    Event,
    Login,
    NeedData,
    User,
)
from freehold.protocols.pop3.limits import MAX_COMMAND_OCTETS, MAX_CREDENTIAL_OCTETS
from freehold.protocols.pop3.states import State

_CRLF_OCTETS = 2
_CREDENTIALS = (b"USER ", b"PASS ", b"AUTH ")


class ServerConnection:
    """Turns a client's bytes into events."""

    __slots__ = ("_inbox", "_is_exchanging", "_is_skipping", "_user", "state")

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._is_exchanging = False
        self._is_skipping = False
        self._user: bytes | None = None
        self.state = State.AUTHORIZATION

    def receive(self, data: bytes) -> None:
        """Store bytes read from the peer."""
        self._inbox.receive(data)

    def next_event(self) -> Event | NeedData:
        """Take the next event off the stream; nothing a client sends raises."""
        try:
            line = self._take_line()
            if line is None:
                return NEED_DATA
            return self._read_response(line) if self._is_exchanging else self._read_command(line)
        except LineTooLongError:
            self._is_skipping = True
            return self._refuse("Line too long")
        except CommandError as error:
            return self._refuse(error.public)

    def expect_response(self) -> None:
        """Read the next line as the answer to a challenge (RFC 5034 §4)."""
        self._is_exchanging = True

    def logged_in(self) -> None:
        """Enter the TRANSACTION state (RFC 1939 §4)."""
        self._user = None
        self.state = State.TRANSACTION

    def tls_started(self) -> None:
        """Forget all that was said in plain text (RFC 2595 §4)."""
        self._inbox.clear()
        self._is_exchanging = self._is_skipping = False
        self._user = None

    def _take_line(self) -> bytes | None:
        if self._is_skipping:
            tail, _ = self._inbox.skip_line()
            if tail is None:
                return None
            self._is_skipping = False
        return self._inbox.take_line(self._limit() - _CRLF_OCTETS)

    def _limit(self) -> int:
        if self._is_exchanging or self._inbox.peek(len(_CREDENTIALS[0])).upper() in _CREDENTIALS:
            return MAX_CREDENTIAL_OCTETS
        return MAX_COMMAND_OCTETS

    def _read_response(self, line: bytes) -> Event:
        if line == b"*":
            return self._refuse("Authentication cancelled")
        data = decode_base64(line)
        self._is_exchanging = False
        return AuthResponse(data)

    def _read_command(self, line: bytes) -> Event:
        command = parse_command(line, self.state)
        user, self._user = self._user, None
        if isinstance(command, Password):
            return BadCommand("USER comes first") if user is None else Login(user, command.secret)
        if isinstance(command, User):
            self._user = command.name
        return command

    def _refuse(self, text: str) -> Event:
        if self._is_exchanging:
            self._is_exchanging = False
            return AuthAborted(text)
        return BadCommand(text)
