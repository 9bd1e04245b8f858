"""Fuzzes the IMAP connection: any octets, in any pieces, give events or ProtocolError, and the same ones.

Run by hand, with atheris installed: `python -m tests.fuzz.fuzz_imap tests/fuzz/corpus/imap`.
The test suite replays the corpus through `check` without atheris.
"""

import importlib
import sys

from freehold.protocols.imap import response
from freehold.protocols.imap.authenticate import Authenticate
from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.errors import ProtocolError
from freehold.protocols.imap.events import (
    NEED_DATA,
    AppendStarted,
    AuthResponse,
    BadCommand,
    CatenateText,
    CatenateUrl,
    Event,
    IdleDone,
    LiteralChunk,
)
from freehold.protocols.imap.idle import Idle
from freehold.protocols.imap.limits import Limits
from freehold.protocols.imap.states import State

LIMITS = Limits(line=300, literals=200, nonsynchronising=150, append=400, discard=500)
"""Small, so that short inputs reach them."""

Events = list[Event | type[ProtocolError]]


def run(pieces: list[bytes], state: State) -> tuple[Events, bytes]:
    """Feed the pieces; gives all events, neighbouring chunks of a message joined, and all replies."""
    connection = ServerConnection(LIMITS, state)
    events: Events = []
    for piece in pieces:
        connection.receive(piece)
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                assert not isinstance(event, type(NEED_DATA))
                _record(event, events)
                _react(event, connection)
        except ProtocolError:
            return [*events, ProtocolError], connection.bytes_to_send()
    return events, connection.bytes_to_send()


def check(data: bytes) -> None:
    """Run data whole, octet by octet and in two halves, in each state; the first octet picks the cut."""
    cut = data[0] % (len(data) + 1) if data else 0
    for state in (State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED):
        whole = run([data], state)
        assert run([data[index : index + 1] for index in range(len(data))], state) == whole
        assert run([data[:cut], data[cut:]], state) == whole


def main() -> None:
    """Fuzz until stopped."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


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
        case _:
            return


if __name__ == "__main__":
    main()
