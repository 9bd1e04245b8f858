"""What a connection and its listener know of each other."""

import asyncio
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from freehold.kernel.listener_settings import ListenerCounts, ListenerSettings, StreamService
from freehold.kernel.stream import Peer


class State(Enum):
    """Where a connection is in its life."""

    OPENING = auto()
    """Accepted; PROXY header and implicit TLS are under way."""
    BUSY = auto()
    """Its session answers."""
    IDLE = auto()
    """Its session has answered all that came."""
    CLOSING = auto()
    """Its last bytes are on their way; nothing is read any more."""
    ENDED = auto()
    """Gone, and its session knows."""


class Connection(Peer, Protocol):
    """A connection as its listener sees it."""

    address: IPv4Address | IPv6Address
    port: int
    deadline: float
    """The loop's time at which `expire` is called."""

    def expire(self, now: float) -> None:
        """Do what is due when the deadline has passed."""

    def dismiss(self) -> None:
        """Say farewell because the server stops; a running burst is let end first."""

    def abort(self) -> None:
        """Cut the connection off, and its burst too."""


class Owner(Protocol):
    """The listener as its connections see it: what they share is kept once, here."""

    loop: asyncio.AbstractEventLoop
    service: StreamService
    settings: ListenerSettings
    counts: ListenerCounts
    is_draining: bool

    def admit(self, connection: Connection, socket_address: tuple[str, int]) -> bool:
        """Count a connection that the loop has accepted, unless there are too many."""

    def forget(self, connection: Connection) -> None:
        """Stop counting a connection that has ended."""
