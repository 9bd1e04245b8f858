"""What an owner sets for a listener, and what a listener needs to be given."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from freehold.kernel.stream import SessionFactory

KIB = 1024


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Bounds and time-outs of one listener.

    The session sets how long a peer may be silent (`StreamSession.idle_seconds`), since that depends
    on the state of its conversation.
    """

    max_connections: int = 10_000
    max_per_network: int = 100
    """Connections from one IPv4 address or IPv6 /64."""
    unlimited_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that `max_per_network` does not bind."""
    proxy_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Where connections must begin with a PROXY header; elsewhere one is not understood."""
    proxy_seconds: float = 5.0
    """How long a whole PROXY header may take."""
    handshake_seconds: float = 30.0
    """How long a whole TLS handshake may take."""
    write_seconds: float = 300.0
    """How long a peer may take nothing of what was sent to it before it is cut off."""
    close_seconds: float = 20.0
    """How long a closed connection may take to deliver its last bytes."""
    sweep_seconds: float = 1.0
    """How often time-outs are looked for; they are late by this much at most."""
    write_buffer_bytes: int = 64 * KIB
    """What is queued for a peer before `Peer.flush` waits; it goes on at a quarter of it."""
    read_queue_bytes: int = 256 * KIB
    """What is read ahead while a session is busy before reading pauses."""


@dataclass(frozen=True, slots=True)
class StreamService:
    """What is spoken on a listener.

    `tls_context` gives the context for the next handshake, so that a renewed certificate is used at
    once; None where TLS is not offered. `too_many` is sent to those whom the limits turn away (not
    with implicit TLS, whose clients could not read it).
    """

    name: str
    make_session: SessionFactory
    tls_context: Callable[[], ssl.SSLContext] | None = None
    implicit_tls: bool = False
    too_many: bytes = b""


@dataclass(slots=True)
class ListenerCounts:
    """What has happened on a listener since it started, for the metrics."""

    accepted: int = 0
    refused: int = 0
    failed_handshakes: int = 0
    failed_proxy_headers: int = 0
    timed_out: int = 0
    crashed: int = 0
