"""What is learnt of a connection's TLS, the SNI host name included.

The standard library forgets the host name that a client asked for; contexts made for listeners set
`SniObject` as their `sslobject_class` and note it there.
"""

import ssl
from functools import lru_cache

from freehold.kernel.stream import TlsFacts

KINDS_OF_TLS = 256
"""How many different facts are kept to be shared between connections."""


class SniObject(ssl.SSLObject):
    """A server's TLS state that remembers the host name its client asked for."""

    requested_name: str | None = None


def facts_of(tls: ssl.SSLObject) -> TlsFacts:
    """Return what is known after the handshake; equal facts are one object, many connections share it."""
    cipher = tls.cipher()
    name = tls.requested_name if isinstance(tls, SniObject) else None
    return _facts(tls.version() or "", cipher[0] if cipher else "", name)


@lru_cache(KINDS_OF_TLS)
def _facts(version: str, cipher: str, server_name: str | None) -> TlsFacts:
    return TlsFacts(version, cipher, server_name)
