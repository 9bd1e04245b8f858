"""What all sessions of one listener share."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from freehold.accounts.authenticate import Authenticator
from freehold.kernel.module import Runtime
from freehold.modules.mail.sasl_login import MECHANISMS
from freehold.modules.mail.smtp.settings import SmtpSettings
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.options import ServerOptions

Network = IPv4Network | IPv6Network

EXTENSIONS = frozenset(
    {
        Extension.PIPELINING,
        Extension.SIZE,
        Extension.EIGHT_BIT_MIME,
        Extension.SMTPUTF8,
        Extension.CHUNKING,
        Extension.ENHANCED_STATUS_CODES,
    }
)


class Door(Enum):
    """Which way mail comes in."""

    EXCHANGE = "smtp"
    """From other servers, port 25 (RFC 5321)."""
    SUBMISSION = "submission"
    """From people, who log in first, ports 587 and 465 (RFC 6409, RFC 8314)."""
    LMTP = "lmtp"
    """From a mail server beside us (RFC 2033)."""


@dataclass(frozen=True, slots=True)
class SmtpService:
    """One listener's door, settings and collaborators."""

    door: Door
    runtime: Runtime
    settings: SmtpSettings
    authenticator: Authenticator
    has_starttls: bool
    relay_networks: tuple[Network, ...]
    trusted_networks: tuple[Network, ...]

    def options(self, *, tls: bool, loopback: bool) -> ServerOptions:
        """Return what a connection is offered; all connections of a kind share one value."""
        return _options(
            self.door,
            self.runtime.hostname,
            self.settings.max_message_bytes,
            (self.has_starttls, tls, loopback),
        )


@lru_cache(maxsize=64)
def _options(
    door: Door, hostname: str, max_message_bytes: int, channel: tuple[bool, bool, bool]
) -> ServerOptions:
    has_starttls, tls, loopback = channel
    return ServerOptions(
        hostname=hostname,
        lmtp=door is Door.LMTP,
        max_message_bytes=max_message_bytes,
        extensions=EXTENSIONS,
        starttls=has_starttls,
        tls=tls,
        loopback=loopback,
        auth_mechanisms=MECHANISMS if door is Door.SUBMISSION else (),
    )
