"""Server side of one IMAP connection, without I/O (RFC 9051, RFC 3501, RFC 7888).

Feed octets with `receive`, pull events one by one with `next_event`, send what `bytes_to_send` gives. It owns
framing: lines, literals, their bounds, continuation requests and the connection's state. What commands
mean, and every reply but `+` and a refused APPEND's, is the session's.
"""

from enum import Enum, auto

from freehold.protocols.imap import response
from freehold.protocols.imap.append import AppendReader, UploadCommand
from freehold.protocols.imap.authenticate import decode_response
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.errors import CommandError, ProtocolError, Status
from freehold.protocols.imap.events import (
    NEED_DATA,
    NO_TAG,
    AppendFinished,
    AuthAborted,
    AuthResponse,
    BadCommand,
    Event,
    IdleDone,
    NeedData,
)
from freehold.protocols.imap.inbox import Inbox, LineTooLongError
from freehold.protocols.imap.limits import MAX_TAG_BYTES, MEMBER_LIMITS, STRANGER_LIMITS, Limits
from freehold.protocols.imap.literal import Literal, split_literal
from freehold.protocols.imap.registry import find_command, next_state, parse_command, read_tag, rejection
from freehold.protocols.imap.states import State
from freehold.protocols.imap.upload import Upload, UploadRejectedError


class _Mode(Enum):
    """What the next octets are."""

    COMMAND = auto()
    LITERAL = auto()
    UPLOAD = auto()
    SKIP_LITERAL = auto()
    SKIP_LINE = auto()
    RESPONSE = auto()
    IDLE = auto()
    CLOSED = auto()


class ServerConnection:
    """Turns received octets into commands and events, and keeps replies until they are sent.

    `state` and `utf8` (UTF8=ACCEPT or IMAP4rev2 enabled: mailbox names are UTF-8) are the session's to set;
    `completed` moves the state by the registry's table.
    """

    __slots__ = (
        "_discarded",
        "_inbox",
        "_literals",
        "_member_limits",
        "_mode",
        "_outbox",
        "_remaining",
        "_tag",
        "_text",
        "_upload",
        "_verdict",
        "state",
        "utf8",
    )

    def __init__(self, limits: Limits = MEMBER_LIMITS, state: State = State.NOT_AUTHENTICATED) -> None:
        self.state = state
        self.utf8 = False
        self._member_limits = limits
        self._inbox = Inbox()
        self._outbox: list[bytes] = []
        self._mode = _Mode.COMMAND
        self._tag = NO_TAG
        self._upload: Upload | None = None
        self._verdict: BadCommand | bytes | None = None
        self._reset()

    @property
    def has_pending(self) -> bool:
        """Tell whether octets are buffered that no event has used yet."""
        return len(self._inbox) > 0

    def receive(self, data: bytes) -> None:
        """Buffer octets read from the peer; stop reading while events are left to pull."""
        if self._mode is not _Mode.CLOSED:
            self._inbox.receive(data)

    def send(self, data: bytes) -> None:
        """Queue a response for `bytes_to_send`."""
        self._outbox.append(data)

    def bytes_to_send(self) -> bytes:
        """Take everything queued for the peer."""
        data = self._outbox[0] if len(self._outbox) == 1 else b"".join(self._outbox)
        self._outbox.clear()
        return data

    def tls_started(self) -> None:
        """Forget plaintext sent ahead of the handshake (RFC 9051 §6.2.1)."""
        self._inbox.clear()
        self._reset()

    def take_unused(self) -> bytes:
        """Take what came behind the last command, which is not plain text any more (RFC 4978 §3)."""
        self._expect(_Mode.COMMAND)
        return self._inbox.take(len(self._inbox))

    def completed(self, command: Command, *, ok: bool) -> None:
        """Move the state as the command's tagged OK or NO does."""
        self.state = next_state(command, self.state, ok=ok)

    def challenge(self, data: bytes) -> None:
        """Send a SASL challenge; the next event is an `AuthResponse`, `AuthAborted` or `BadCommand`."""
        self._expect(_Mode.COMMAND)
        self.send(response.challenge(data))
        self._mode = _Mode.RESPONSE

    def start_idle(self) -> None:
        """Accept IDLE; the next event is an `IdleDone` or `BadCommand`."""
        self._expect(_Mode.COMMAND)
        self.send(response.continuation("idling"))
        self._mode = _Mode.IDLE

    def refuse(self, text: str, code: bytes | None = None, status: Status = Status.NO) -> None:
        """Refuse the APPEND that is under way, from `AppendStarted` to before `AppendFinished`.

        The tagged reply is queued when the client has stopped sending: at once if it waits for leave.
        """
        self._expect(_Mode.UPLOAD)
        unread = None if self._upload is None else self._upload.unread()
        self._verdict = response.tagged(self._tag, status, text, code)
        self._upload = None
        if unread is None:
            self._mode = _Mode.COMMAND
            self._deliver_verdict()
        else:
            self._remaining = unread
            self._mode = _Mode.SKIP_LITERAL

    def next_event(self) -> Event | NeedData:
        """Take the next event.

        Raises:
            ProtocolError: the peer sends what can neither be used nor be skipped; now and from now on.
        """
        event: Event | NeedData | None = None
        try:
            while event is None:
                event = self._step()
        except LineTooLongError:
            verdict = BadCommand(self._current_tag(), "command line too long")
            self._reset()
            self._verdict = verdict
            self._mode = _Mode.SKIP_LINE
            return self.next_event()
        except ProtocolError:
            self._mode = _Mode.CLOSED
            self._inbox.clear()
            raise
        return event

    @property
    def _limits(self) -> Limits:
        return STRANGER_LIMITS if self.state is State.NOT_AUTHENTICATED else self._member_limits

    def _step(self) -> Event | NeedData | None:
        """Advance by one line or run of octets; None asks to be called again."""
        match self._mode:
            case _Mode.COMMAND:
                return self._read_command()
            case _Mode.LITERAL:
                return self._read_literal()
            case _Mode.UPLOAD:
                return self._read_upload()
            case _Mode.SKIP_LITERAL | _Mode.SKIP_LINE:
                return self._skip()
            case _Mode.RESPONSE | _Mode.IDLE:
                return self._read_answer()
            case _Mode.CLOSED:
                raise ProtocolError("connection is closing")

    def _read_command(self) -> Event | NeedData | None:
        """Take a line; it ends the command, or a literal follows."""
        used = len(self._text) - self._literals
        line = self._inbox.take_line(max(0, self._limits.line - used))
        if line is None:
            return NEED_DATA
        literal = split_literal(line)
        if literal is not None:
            self._text += line
            return self._begin_literal(literal)
        text = bytes(self._text + line) if self._text else line
        self._reset()
        event = parse_command(text, self.state, utf8=self.utf8)
        self._tag = event.tag
        if isinstance(event, UploadCommand):
            return self._begin_upload(event.name, event.arguments, None)
        return event

    def _begin_literal(self, literal: Literal) -> Event | None:
        """Decide about a literal: part of the command, a message, or not wanted."""
        found = find_command(self._text, self.state)
        if isinstance(found, BadCommand):
            return self._reject(found, literal)
        self._tag, spec, start = found
        if spec.value is UploadCommand:
            return self._begin_upload(spec.name, bytes(self._text[start : -literal.marker_bytes]), literal)
        self._literals += literal.size
        if literal.size > self._limits.nonsynchronising and not literal.synchronising:
            return self._reject(self._too_big("non-synchronising literal too big"), literal)
        if self._literals > self._limits.literals:
            return self._reject(self._too_big("literals too big"), literal)
        self._text += b"\r\n"
        self._remaining = literal.size
        self._mode = _Mode.LITERAL
        if literal.synchronising:
            self.send(response.continuation("go on"))
        return None

    def _begin_upload(self, name: bytes, arguments: bytes, literal: Literal | None) -> Event | None:
        """Read the first text of an APPEND or REPLACE."""
        self._reset()
        reader = AppendReader(self._tag, name, utf8=self.utf8)
        upload = self._upload = Upload(reader, self._inbox, self.send, self._limits)
        self._mode = _Mode.UPLOAD
        try:
            upload.begin(arguments, literal)
        except UploadRejectedError as rejected:
            return self._reject(rejection(self._tag, name, rejected.error), rejected.literal)
        return None

    def _read_literal(self) -> NeedData | None:
        octets = self._inbox.take(self._remaining)
        self._text += octets
        self._remaining -= len(octets)
        if self._remaining:
            return NEED_DATA
        self._mode = _Mode.COMMAND
        return None

    def _read_upload(self) -> Event | NeedData | None:
        upload = self._upload
        assert upload is not None
        try:
            event = upload.next_event()
        except UploadRejectedError as rejected:
            return self._reject(rejection(self._tag, upload.name, rejected.error), rejected.literal)
        if isinstance(event, AppendFinished):
            self._reset()
        return event

    def _reject(self, event: BadCommand, literal: Literal | None) -> Event | None:
        """Give up the command; octets that come regardless are skipped before the event is given."""
        self._reset()
        if literal is None or literal.synchronising:
            return event
        self._verdict = event
        self._remaining = literal.size
        self._mode = _Mode.SKIP_LITERAL
        return None

    def _skip(self) -> Event | NeedData | None:
        """Throw away the rest of a refused command: literals, and lines up to one that ends it."""
        if self._mode is _Mode.SKIP_LITERAL:
            self._check_discard(self._remaining)
            skipped = self._inbox.skip(self._remaining)
            self._remaining -= skipped
            self._count_discarded(skipped)
            if self._remaining:
                return NEED_DATA
            self._mode = _Mode.SKIP_LINE
        tail, skipped = self._inbox.skip_line()
        self._count_discarded(skipped)
        if tail is None:
            return NEED_DATA
        literal = split_literal(tail)
        if literal is not None and not literal.synchronising:
            self._remaining = literal.size
            self._mode = _Mode.SKIP_LITERAL
            return None
        self._mode = _Mode.COMMAND
        return self._deliver_verdict()

    def _deliver_verdict(self) -> Event | None:
        verdict = self._verdict
        self._reset()
        if isinstance(verdict, bytes):
            self.send(verdict)
            return None
        return verdict

    def _read_answer(self) -> Event | NeedData:
        """Take the line that answers a challenge or ends IDLE."""
        line = self._inbox.take_line(self._limits.line)
        if line is None:
            return NEED_DATA
        idling = self._mode is _Mode.IDLE
        self._mode = _Mode.COMMAND
        if idling:
            done = line.strip(b" ").upper() == b"DONE"
            return IdleDone(self._tag) if done else BadCommand(self._tag, "expected DONE", name=b"IDLE")
        if line == b"*":
            return AuthAborted(self._tag)
        try:
            return AuthResponse(decode_response(line))
        except CommandError as error:
            return rejection(self._tag, b"AUTHENTICATE", error)

    def _current_tag(self) -> bytes:
        """Give the tag of the command under way, of which perhaps only the start is buffered."""
        if self._mode is _Mode.COMMAND and not self._text:
            return read_tag(self._inbox.peek(MAX_TAG_BYTES + 1))
        return self._tag

    def _too_big(self, text: str) -> BadCommand:
        """Build the refusal of a literal (RFC 7888 §4, RFC 4469 §4.2)."""
        return BadCommand(self._tag, text, Status.NO, b"TOOBIG")

    def _count_discarded(self, octets: int) -> None:
        """Charge skipped octets against the limit."""
        self._discarded += octets
        self._check_discard(0)

    def _check_discard(self, coming: int) -> None:
        if self._discarded + coming > self._limits.discard:
            raise ProtocolError("too much data for a command that was refused")

    def _expect(self, *modes: _Mode) -> None:
        if self._mode not in modes:
            raise RuntimeError("the connection is not at a point where this may be called")

    def _reset(self) -> None:
        """Return to the start of a command."""
        self._mode = _Mode.COMMAND
        self._text = bytearray()
        self._literals = self._remaining = self._discarded = 0
        self._upload = None
        self._verdict = None
