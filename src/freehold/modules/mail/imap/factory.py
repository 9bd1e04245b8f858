"""Makes the sessions of a listener."""

from freehold.accounts.authenticate import Authenticator
from freehold.kernel.capabilities import Capability
from freehold.kernel.module import Runtime
from freehold.kernel.stream import Peer, SessionFactory, StreamSession
from freehold.modules.mail.imap.context import ImapContext
from freehold.modules.mail.imap.session import ImapSession
from freehold.modules.mail.imap.settings import ImapSettings
from freehold.modules.mail.imap.watchers import Watchers

_CONTEXT = Capability[ImapContext]("context of IMAP sessions")


def make_factory(
    runtime: Runtime, authenticator: Authenticator, settings: ImapSettings, *, has_starttls: bool
) -> SessionFactory:
    """Return the factory of a listener; all listeners of a process share one context.

    `has_starttls` says that the listener begins in plain text and can do TLS.
    """
    context = runtime.capabilities.find(_CONTEXT)
    if context is None:
        context = ImapContext(
            hostname=runtime.hostname,
            database=runtime.database,
            blobs=runtime.blobs,
            ids=runtime.ids,
            bus=runtime.bus,
            clock=runtime.clock,
            settings=settings,
            authenticator=authenticator,
            watchers=Watchers(runtime.bus),
        )
        runtime.capabilities.provide(_CONTEXT, context)
    shared = context

    def make_session(peer: Peer) -> StreamSession:
        return ImapSession(shared, peer, has_starttls=has_starttls)

    return make_session
