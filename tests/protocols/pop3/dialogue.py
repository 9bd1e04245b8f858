"""Drives a server connection through a byte stream with a session that lets everybody in."""

from collections.abc import Iterable
from itertools import pairwise

from freehold.protocols.pop3.connection import ServerConnection
from freehold.protocols.pop3.events import NEED_DATA, Auth, AuthResponse, Event, Login, NeedData


def converse(stream: bytes, cuts: Iterable[int] = ()) -> list[Event]:
    """Return the events of a stream that comes in pieces.

    AUTH is challenged, once more if the answer is "again".
    """
    connection = ServerConnection()
    events: list[Event] = []
    for start, end in pairwise([0, *sorted(cuts), len(stream)]):
        connection.receive(stream[start:end])
        while not isinstance(event := connection.next_event(), NeedData):
            events.append(event)
            _react(connection, event)
    assert connection.next_event() is NEED_DATA
    return events


def _react(connection: ServerConnection, event: Event) -> None:
    match event:
        case Auth() | AuthResponse(data=b"again"):
            connection.expect_response()
        case AuthResponse() | Login():
            connection.logged_in()
        case _:
            return
