"""The octets of one APPEND or REPLACE: its text, its messages in pieces, and what must be skipped of it.

`append` reads the text; here it is told from the octets of messages, which go to the session as they come.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from freehold.protocols.imap import response
from freehold.protocols.imap.append import AppendReader, Want
from freehold.protocols.imap.errors import CommandError, Status
from freehold.protocols.imap.events import (
    NEED_DATA,
    AppendFinished,
    Event,
    LiteralChunk,
    NeedData,
)
from freehold.protocols.imap.inbox import Inbox
from freehold.protocols.imap.limits import Limits
from freehold.protocols.imap.literal import Literal, split_literal


class UploadRejectedError(Exception):
    """The command cannot be read on; `literal` is what the client still sends of it, if anything."""

    def __init__(self, error: CommandError, literal: Literal | None) -> None:
        super().__init__()
        self.error = error
        self.literal = literal


class _Phase(Enum):
    """What the next octets are."""

    LINE = auto()
    OFFERED = auto()
    """A literal that was announced; asking for the next event accepts it."""
    LITERAL = auto()
    OVER = auto()


class Upload:
    """One command under way: `next_event` until `AppendFinished`."""

    __slots__ = (
        "_events",
        "_inbox",
        "_limits",
        "_literal",
        "_phase",
        "_reader",
        "_remaining",
        "_send",
        "_string",
    )

    def __init__(
        self, reader: AppendReader, inbox: Inbox, send: Callable[[bytes], None], limits: Limits
    ) -> None:
        self._reader = reader
        self._inbox = inbox
        self._send = send
        self._limits = limits
        self._events: deque[Event] = deque()
        self._phase = _Phase.LINE
        self._literal: Literal | None = None
        self._remaining = 0
        self._string: bytearray | None = None

    @property
    def name(self) -> bytes:
        """The command's name."""
        return self._reader.name

    def begin(self, arguments: bytes, literal: Literal | None) -> None:
        """Take what stands behind the command's name, up to its first literal.

        Raises:
            UploadRejectedError: it is malformed.
        """
        self._take_text(arguments, literal)

    def next_event(self) -> Event | NeedData | None:
        """Take the next event; None asks to be called again.

        Raises:
            UploadRejectedError: what came is malformed.
            LineTooLongError: a line goes on beyond the limit.
        """
        if self._events:
            return self._events.popleft()
        match self._phase:
            case _Phase.LINE:
                return self._read_line()
            case _Phase.OFFERED:
                self._phase = _Phase.LITERAL
                if self._literal is not None and self._literal.synchronising:
                    self._send(response.continuation("go on"))
                return None
            case _Phase.LITERAL:
                return self._read_string() if self._string is not None else self._read_content()
            case _Phase.OVER:
                return AppendFinished(self._reader.tag)

    def unread(self) -> int | None:
        """Tell how many octets come before the rest of the line; None if the client sends nothing more."""
        match self._phase:
            case _Phase.LINE:
                return 0
            case _Phase.OFFERED if self._literal is not None and self._literal.synchronising:
                return None
            case _Phase.OVER:
                return None
            case _:
                return self._remaining

    def _read_line(self) -> NeedData | None:
        line = self._inbox.take_line(self._limits.line)
        if line is None:
            return NEED_DATA
        literal = split_literal(line)
        self._take_text(line if literal is None else line[: -literal.marker_bytes], literal)
        return None

    def _take_text(self, text: bytes, literal: Literal | None) -> None:
        try:
            want = self._reader.read(text, literal)
            self._check(want, literal)
        except CommandError as error:
            raise UploadRejectedError(error, literal) from error
        self._take_events()
        self._literal = literal
        self._phase = _Phase.OVER if want is Want.NOTHING else _Phase.OFFERED
        self._remaining = 0 if literal is None else literal.size
        self._string = bytearray() if want is Want.STRING else None

    def _check(self, want: Want, literal: Literal | None) -> None:
        """Bound a literal (RFC 7888 §4, RFC 4469 §4.2)."""
        if literal is None or want is Want.NOTHING:
            return
        if want is Want.CONTENT:
            if literal.size > self._limits.append:
                raise _too_big("message too big")
        elif literal.size > self._limits.nonsynchronising and not literal.synchronising:
            raise _too_big("non-synchronising literal too big")
        elif literal.size > self._limits.literals:
            raise _too_big("literals too big")

    def _read_string(self) -> NeedData | None:
        if self._string is not None:
            octets = self._inbox.take(self._remaining)
            self._string += octets
            self._remaining -= len(octets)
            if self._remaining:
                return NEED_DATA
            self._reader.add_string(bytes(self._string))
        self._phase = _Phase.LINE
        return None

    def _read_content(self) -> Event | NeedData | None:
        count = self._remaining
        if not count:
            self._phase = _Phase.LINE
            self._reader.content_ended()
            self._take_events()
            return None
        if self._literal is not None and not self._literal.binary:
            count = self._count_without_nul(count)
        octets = self._inbox.take(count)
        if not octets:
            return NEED_DATA
        self._remaining -= len(octets)
        return LiteralChunk(octets)

    def _count_without_nul(self, count: int) -> int:
        """Return how many octets may be taken before a NUL, which only a literal8 may hold."""
        before = self._inbox.find(b"\0", count)
        if before == 0:
            rest = Literal(self._remaining, synchronising=False, marker_bytes=0)
            raise UploadRejectedError(CommandError("NUL in a literal; send a literal8"), rest)
        return count if before < 0 else before

    def _take_events(self) -> None:
        self._events.extend(self._reader.events)
        self._reader.events.clear()


def _too_big(text: str) -> CommandError:
    return CommandError(text, Status.NO, b"TOOBIG")
