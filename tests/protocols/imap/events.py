"""The events of a connection that literal octets bring about."""

from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.events import NEED_DATA, Event


def pull(connection: ServerConnection, data: bytes = b"") -> list[Event]:
    """Give octets to a connection; returns its events up to where it needs more."""
    connection.receive(data)
    events: list[Event] = []
    while (event := connection.next_event()) is not NEED_DATA:
        assert not isinstance(event, type(NEED_DATA))
        events.append(event)
    return events
