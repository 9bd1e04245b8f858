"""Drives a server connection through a whole byte stream with a session that accepts everything."""

from collections.abc import Iterable
from itertools import pairwise

from freehold.protocols.smtp.events import (
    NEED_DATA,
    AuthResponse,
    AuthStarted,
    BdatEnd,
    DataStarted,
    Event,
    Hello,
    Mail,
    MessageChunk,
    MessageEnd,
    ProtocolError,
    Rcpt,
    StartTls,
)
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.server import ServerConnection

OPTIONS = ServerOptions("mx.example", max_message_bytes=1000, starttls=True)
ENVELOPE = b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n"


def converse(
    stream: bytes, options: ServerOptions = OPTIONS, cuts: Iterable[int] = ()
) -> tuple[list[Event | ProtocolError], bytes]:
    """Return the events, with the pieces of content joined, and all that was sent; a handshake never ends."""
    connection = ServerConnection(options)
    connection.greet()
    events: list[Event | ProtocolError] = []
    for start, end in pairwise([0, *sorted(cuts), len(stream)]):
        connection.receive(stream[start:end])
        try:
            while (event := connection.next_event()) is not NEED_DATA:
                _note(events, event)
                _answer(connection, event)
        except ProtocolError as error:
            events.append(error)
    return events, connection.bytes_to_send()


def replies(stream: bytes, options: ServerOptions = OPTIONS) -> list[str]:
    """Return code and enhanced code, or the first word, of each reply after the greeting."""
    sent = converse(stream, options)[1].decode().splitlines()[1:]
    return [line[:9].rstrip() for line in sent if line[3] == " "]


def content(events: list[Event | ProtocolError]) -> bytes:
    """Return all content that was handed out."""
    return b"".join(event.content for event in events if isinstance(event, MessageChunk))


def comparable(events: list[Event | ProtocolError]) -> list[object]:
    """Return the events in a form in which equal errors are equal."""
    return [event.reply if isinstance(event, ProtocolError) else event for event in events]


def _note(events: list[Event | ProtocolError], event: Event) -> None:
    last = events[-1] if events else None
    if isinstance(event, MessageChunk) and isinstance(last, MessageChunk):
        events[-1] = MessageChunk(last.content + event.content)
    else:
        events.append(event)


def _answer(connection: ServerConnection, event: Event) -> None:
    match event:
        case Hello() | Mail() | Rcpt() | DataStarted() | BdatEnd() | MessageEnd() | StartTls():
            connection.accept()
        case AuthStarted(initial_response=None):
            connection.challenge(b"")
        case AuthStarted() | AuthResponse():
            connection.accept()
        case _:
            pass
