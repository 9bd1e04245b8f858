"""Fuzzes the IMAP connection: any octets, in any pieces, give events or ProtocolError, and the same ones.

Run by hand, with atheris installed:
`python -m tests.fuzz.fuzz_imap -dict=tests/fuzz/imap.dict tests/fuzz/corpus/imap`.
The test suite replays the corpus through `check` without atheris. A connection is followed from login to the
folder, into UTF-8 names and behind COMPRESS, where octets in stored blocks are as easy to mutate as before.
"""

from freehold.kernel.deflate import CompressionError, Inflater
from freehold.protocols.imap import response
from freehold.protocols.imap.authenticate import Authenticate
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.compress import Compress
from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.enable import Enable
from freehold.protocols.imap.errors import ProtocolError
from freehold.protocols.imap.events import (
    AppendStarted,
    AuthResponse,
    BadCommand,
    CatenateText,
    CatenateUrl,
    Event,
    IdleDone,
    LiteralChunk,
    NeedData,
)
from freehold.protocols.imap.idle import Idle
from freehold.protocols.imap.limits import Limits
from freehold.protocols.imap.states import State
from tests.fuzz.atheris_run import fuzz

LIMITS = Limits(line=300, literals=200, nonsynchronising=150, append=400, discard=500)
"""Small, so that short inputs reach them."""

Events = list[Event | type[ProtocolError | CompressionError]]


class Dialogue:
    """A connection, and a session on it that says yes to nearly everything."""

    def __init__(self, state: State) -> None:
        self.connection = ServerConnection(LIMITS, state)
        self.events: Events = []
        """Neighbouring chunks of a message are joined."""
        self._inflater: Inflater | None = None

    def receive(self, piece: bytes) -> None:
        """Take octets as they come over the wire."""
        if self._inflater is None:
            self._plain(piece)
            return
        self._inflater.feed(piece)
        while inflated := self._inflater.take():
            self._plain(inflated)
        self._inflater.rest()

    def _plain(self, piece: bytes) -> None:
        connection = self.connection
        connection.receive(piece)
        while not isinstance(event := connection.next_event(), NeedData):
            _record(event, self.events)
            _react(event, connection)
            if isinstance(event, Compress) and self._inflater is None:
                self._inflater = Inflater()
                self.receive(connection.take_unused())
                return


def run(pieces: list[bytes], state: State) -> tuple[Events, bytes]:
    """Feed the pieces; gives all events, and all replies."""
    dialogue = Dialogue(state)
    try:
        for piece in pieces:
            dialogue.receive(piece)
    except CompressionError:
        return [CompressionError], b""
    except ProtocolError:
        dialogue.events.append(ProtocolError)
    return dialogue.events, dialogue.connection.bytes_to_send()


def check(data: bytes) -> None:
    """Run data whole, octet by octet and in two halves, in each state; the first octet picks the cut."""
    cut = data[0] % (len(data) + 1) if data else 0
    for state in (State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED):
        whole = run([data], state)
        for pieces in ([data[index : index + 1] for index in range(len(data))], [data[:cut], data[cut:]]):
            found = run(pieces, state)
            # How much is read of a malformed deflated stream does depend on how it comes.
            assert found == whole or whole[0] == [CompressionError]
        check_replies(whole[1])


def check_replies(replies: bytes) -> None:
    """Assert that what the connection itself says are lines of printable text."""
    assert not replies or replies.endswith(b"\r\n")
    for line in replies.split(b"\r\n"):
        assert all(0x20 <= octet < 0x7F for octet in line)


def _record(event: Event, events: Events) -> None:
    last = events[-1] if events else None
    if isinstance(event, LiteralChunk) and isinstance(last, LiteralChunk):
        events[-1] = LiteralChunk(last.data + event.data)
    else:
        events.append(event)


def _react(event: Event, connection: ServerConnection) -> None:
    """Do what a session would."""
    match event:
        case Authenticate() | AuthResponse(data=b"again"):
            connection.challenge(b"well?")
        case Idle():
            connection.start_idle()
        case AppendStarted(mailbox="full"):
            connection.refuse("full")
        case AppendStarted(mailbox="later", number=2):
            connection.refuse("changed my mind")
        case CatenateUrl(url=b"bad") | CatenateText(size=5):
            connection.refuse("no such part")
        case BadCommand():
            connection.send(response.refusal(event))
        case IdleDone(tag=tag):
            connection.send(response.ok(tag, "done"))
        case Enable(capabilities=names):
            connection.utf8 |= "IMAP4REV2" in names or "UTF8=ACCEPT" in names
        case Command(tag=tag):
            connection.completed(event, ok=tag != b"no")
        case _:
            return


if __name__ == "__main__":
    fuzz(check)
