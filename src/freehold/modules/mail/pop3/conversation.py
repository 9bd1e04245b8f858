"""The state of one session, as the commands see it."""

from freehold.kernel.stream import Peer
from freehold.modules.mail.pop3.context import Pop3Context
from freehold.modules.mail.pop3.errors import AccessEndedError
from freehold.modules.mail.pop3.maildrop import Maildrop
from freehold.modules.mail.sasl_login import SaslLogin
from freehold.protocols.pop3.connection import ServerConnection


class Conversation:
    """Who talks, their maildrop, and the way to the peer. `has_starttls`: TLS may begin later."""

    __slots__ = ("connection", "context", "exchange", "has_starttls", "login", "opened", "peer")

    def __init__(self, context: Pop3Context, peer: Peer, *, has_starttls: bool) -> None:
        self.context = context
        self.peer = peer
        self.connection = ServerConnection()
        self.has_starttls = has_starttls
        self.login = ""
        self.exchange: SaslLogin | None = None
        self.opened: Maildrop | None = None

    @property
    def maildrop(self) -> Maildrop:
        """The maildrop; the connection lets no command come here before login."""
        if self.opened is None:
            raise AccessEndedError
        return self.opened

    @property
    def is_private(self) -> bool:
        """Whether a password may be sent: under TLS, or without leaving the host."""
        return self.peer.tls is not None or self.peer.address.is_loopback

    def send(self, data: bytes) -> None:
        """Queue bytes for the client."""
        self.peer.send(data)
