"""What is learnt of a connection's TLS, the SNI host name included.

The standard library forgets the host name that a client asked for; contexts made for listeners set
`SniObject` as their `sslobject_class` and note it there.
"""

import ssl
from asyncio import BaseProtocol, Transport
from functools import lru_cache

from freehold.kernel.connection_owner import Owner
from freehold.kernel.stream import TlsFacts

KINDS_OF_TLS = 256
"""How many different facts are kept to be shared between connections."""


class SniObject(ssl.SSLObject):
    """A server's TLS state that remembers the host name its client asked for."""

    requested_name: str | None = None


async def upgrade(
    owner: Owner, transport: Transport, protocol: BaseProtocol, context: ssl.SSLContext
) -> Transport | None:
    """Do the handshake of STARTTLS as server; None where the peer went away.

    Raises:
        OSError: the peer does not manage TLS.
    """
    return await owner.loop.start_tls(
        transport,
        protocol,
        context,
        server_side=True,
        ssl_handshake_timeout=owner.settings.handshake_seconds,
        ssl_shutdown_timeout=owner.settings.close_seconds,
    )


def reason_of(error: OSError | None) -> str:
    """Say why a handshake failed, for the log; None where the peer went away."""
    return (str(error) or type(error).__name__) if error else "connection closed"


def facts_of(tls: ssl.SSLObject) -> TlsFacts:
    """Return what is known after the handshake; equal facts are one object, many connections share it."""
    cipher = tls.cipher()
    name = tls.requested_name if isinstance(tls, SniObject) else None
    return _facts(tls.version() or "", cipher[0] if cipher else "", name)


@lru_cache(KINDS_OF_TLS)
def _facts(version: str, cipher: str, server_name: str | None) -> TlsFacts:
    return TlsFacts(version, cipher, server_name)
