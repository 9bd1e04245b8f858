"""What one listener's SMTP connections offer and bound."""

from dataclasses import dataclass
from functools import lru_cache

from freehold.protocols.smtp.extensions import DEFAULT_EXTENSIONS, Extension
from freehold.protocols.smtp.reply import Reply

MAX_COMMAND_OCTETS = 2048
"""Longest command line with CRLF: 512 octets (RFC 5321 §4.5.3.1.4) and what extensions add."""

MAX_AUTH_OCTETS = 12288
"""Longest line of an AUTH exchange with CRLF (RFC 4954 §4)."""

DEFAULT_MAX_MESSAGE_BYTES = 50 * 1024 * 1024
"""Largest message content that is taken when nothing else is set."""

MAX_EXCESS_BYTES = 100 * 1024 * 1024
"""How much content beyond the limit is read and thrown away, at most, before the connection ends."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a connection offers; frozen, so that all connections of a listener share one.

    `starttls` says that the channel can be upgraded; `tls` that it is encrypted now; `loopback` that it
    cannot be overheard. AUTH is offered only when there are mechanisms and one of the latter two holds.
    """

    hostname: str
    lmtp: bool = False
    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    extensions: frozenset[Extension] = DEFAULT_EXTENSIONS
    starttls: bool = False
    tls: bool = False
    loopback: bool = False
    auth_mechanisms: tuple[str, ...] = ()

    @property
    def offers_starttls(self) -> bool:
        """Whether STARTTLS is offered now."""
        return self.starttls and not self.tls

    @property
    def offers_auth(self) -> bool:
        """Whether AUTH is offered now."""
        return bool(self.auth_mechanisms) and (self.tls or self.loopback)

    @property
    def discard_bound_bytes(self) -> int:
        """Content after which a client that ignores the limit is cut off: twice the limit or 100 MiB more."""
        return self.max_message_bytes + min(self.max_message_bytes, MAX_EXCESS_BYTES)


@lru_cache(maxsize=256)
def offered_extensions(options: ServerOptions) -> frozenset[Extension]:
    """Return the extensions whose parameters MAIL and RCPT may carry."""
    return options.extensions | {Extension.AUTH} if options.offers_auth else options.extensions


@lru_cache(maxsize=256)
def hello_reply(options: ServerOptions, *, extended: bool) -> Reply:
    """Return the answer to EHLO or LHLO with what is offered now, or to HELO (RFC 5321 §4.1.1.1)."""
    if not extended:
        return Reply.of(250, None, options.hostname)
    lines = [options.hostname]
    for extension in Extension:
        if extension is Extension.SIZE and extension in options.extensions:
            lines.append(f"SIZE {options.max_message_bytes}")
        elif extension is Extension.STARTTLS:
            lines += ["STARTTLS"] * options.offers_starttls
        elif extension is Extension.AUTH:
            lines += [f"AUTH {' '.join(options.auth_mechanisms)}"] * options.offers_auth
        elif extension in options.extensions:
            lines.append(extension.value)
    return Reply(250, None, tuple(lines))
