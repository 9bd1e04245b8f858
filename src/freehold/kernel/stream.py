"""What a stream protocol's session and the listener owe each other.

The listener owns the socket: bytes, time-outs, TLS, limits, back-pressure. A session owns the
conversation: it buffers what it is given and, when asked to, answers everything that is complete.
While a connection is idle neither keeps a task, a timer or a buffer for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from freehold.errors import FreeholdError


class PeerGoneError(FreeholdError):
    """The peer closed the connection or stopped reading; the conversation is over."""

    public = "connection closed"
    temporary = True


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What is known of a connection's TLS: version ("TLSv1.3"), cipher name and SNI host name."""

    version: str
    cipher: str
    server_name: str | None


class Verdict(Enum):
    """What a session wants of the listener after `advance`."""

    READ = auto()
    """Everything complete has been answered; call again when more bytes come, or after `Peer.wake`."""
    START_TLS = auto()
    """Flush what was sent, do the handshake as server, call `StreamSession.tls_started`, then `advance`.

    Bytes that came before the handshake and were not yet given are dropped (RFC 3207 §6). A session
    sends its go-ahead last and returns this without awaiting, so that no handshake byte is dropped.
    """
    CLOSE = auto()
    """Flush what was sent and close."""


class Peer(Protocol):
    """The listener's side of one connection, as its session sees it."""

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The client's address (as told by a trusted PROXY header where there is one)."""

    @property
    def port(self) -> int:
        """The client's port."""

    @property
    def tls(self) -> TlsFacts | None:
        """The TLS in force, or None in plain text."""

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that the session has not been given yet."""

    def start_compression(self, unused: bytes) -> None:
        """Deflate all that is sent from now on, and inflate all that comes (RFC 1951, RFC 4978 §3).

        What was sent before leaves as it is. `unused` are bytes that came behind the command for it
        and that the session has not used: they are the beginning of the deflated stream. A stream
        that cannot be inflated closes the connection.
        """

    def send(self, data: bytes) -> None:
        """Queue bytes for the peer; does not block. Call `flush` between large pieces.

        Small pieces leave together: at the end of `advance`, or as soon as it awaits. What is sent
        to a peer that has gone is dropped.
        """

    async def flush(self) -> None:
        """Wait until the peer has taken enough of what was sent that more may be queued.

        A little that was sent is not pushed out by this: what follows at once travels with it.

        Raises:
            PeerGoneError: the connection is gone, or nothing was taken for the write time-out.
        """

    def wake(self) -> None:
        """Have `advance` called soon although no bytes came (news for an idling session)."""


class StreamSession(Protocol):
    """One peer's conversation. Its methods are never called concurrently."""

    @property
    def idle_seconds(self) -> float:
        """How long the peer may stay silent from now on; then `timed_out` is called."""

    def receive(self, data: bytes) -> None:
        """Buffer bytes that were read; never called while `advance` runs."""

    async def advance(self) -> Verdict:
        """Answer all that is complete. Called first without any bytes: the time for a greeting."""

    def tls_started(self) -> None:
        """Forget everything learnt in plain text (RFC 3207 §4.2); `Peer.tls` is set from now on."""

    def timed_out(self) -> None:
        """Send a farewell with `Peer.send`; the listener closes the connection afterwards."""

    def shutting_down(self) -> None:
        """Send the farewell of a server that stops; the listener closes the connection afterwards."""

    def ended(self) -> None:
        """Release what the session holds; the connection is gone. Called exactly once."""


SessionFactory = Callable[[Peer], StreamSession]
