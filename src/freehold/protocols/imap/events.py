"""What `ServerConnection.next_event` gives besides commands."""

from dataclasses import dataclass, field
from enum import Enum, auto

from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.sequence_set import SequenceSet


class NeedData(Enum):
    """Returned when nothing whole is buffered."""

    NEED_DATA = auto()


NEED_DATA = NeedData.NEED_DATA

NO_TAG = b"*"
"""Stands for the tag of a line that had none; a reply with it is an untagged one."""


@dataclass(frozen=True, slots=True)
class BadCommand:
    """A command that cannot be carried out as sent; answer it with `response.refusal` and go on.

    `name` is the command's name if it is a known one, for logs. `text` quotes nothing of the client's.
    `forgets_result` has the session forget what `$` stands for.
    """

    tag: bytes
    text: str
    status: Status = Status.BAD
    code: bytes | None = None
    name: bytes = b""
    forgets_result: bool = False


@dataclass(frozen=True, slots=True)
class Replaced:
    """The one message that REPLACE names, by its number or, with `uid`, by its UID (RFC 8508 §3)."""

    message: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class AppendStarted:
    """The client is about to send a message of `size` octets, or (None) its parts.

    Going on with `next_event` accepts it; `refuse` answers the whole command with NO. `number` counts the
    command's messages from 1. A size of 0 means that the client gave the command up (RFC 3502 §6.3.11).
    A `BadCommand` instead of `AppendFinished` ends the command, and nothing of it may be stored.
    A `binary` message may hold NUL. `replaced` is what REPLACE removes.
    """

    tag: bytes
    mailbox: str
    flags: tuple[str, ...]
    internal_date_ms: int | None
    size: int | None
    number: int
    binary: bool = False
    replaced: Replaced | None = None


@dataclass(frozen=True, slots=True)
class CatenateText:
    """The next part of the message is `size` octets that follow (RFC 4469 §5)."""

    size: int
    binary: bool


@dataclass(frozen=True, slots=True)
class CatenateUrl:
    """The next part of the message is what a URL names; it is as the client sent it."""

    url: bytes


@dataclass(frozen=True, slots=True)
class LiteralChunk:
    """The next octets of the message or of its part."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppendMessageEnd:
    """The message is complete; another may follow."""


@dataclass(frozen=True, slots=True)
class AppendFinished:
    """The command is complete: store all its messages or none, then send the tagged reply."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The client's answer to a challenge, decoded."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """The client sent `*` instead of an answer; reply BAD (RFC 9051 §6.2.2)."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class IdleDone:
    """The client ended IDLE; send its tagged reply."""

    tag: bytes


Event = (
    Command
    | BadCommand
    | AppendStarted
    | CatenateText
    | CatenateUrl
    | LiteralChunk
    | AppendMessageEnd
    | AppendFinished
    | AuthResponse
    | AuthAborted
    | IdleDone
)
