"""What mail starts in each front process: the logins, and a session factory for each listener."""

from contextlib import AsyncExitStack
from typing import Final

from freehold.accounts.authenticate import Authenticator, open_authenticator
from freehold.kernel.addresses import parse_network
from freehold.kernel.capabilities import Capability
from freehold.kernel.module import ListenerSpec, Runtime, TlsMode
from freehold.kernel.stream import SessionFactory
from freehold.modules.mail.config import MailSettings
from freehold.modules.mail.imap.factory import make_factory as make_imap_factory
from freehold.modules.mail.pop3.context import Pop3Context
from freehold.modules.mail.pop3.context import make_context as make_pop3_context
from freehold.modules.mail.pop3.session import make_factory as make_pop3_factory
from freehold.modules.mail.smtp.service import Door, SmtpService
from freehold.modules.mail.smtp.session import make_factory as make_smtp_factory

AUTHENTICATOR: Final = Capability[Authenticator]("authenticator")
POP3: Final = Capability[Pop3Context]("context of POP3 sessions")

READERS_PER_NETWORK: Final = 30
"""Connections that readers may have from one network: some programs open one for each folder."""
IMAP_TOO_MANY: Final = b"* BYE [UNAVAILABLE] Too many connections: try again later\r\n"
POP3_TOO_MANY: Final = b"-ERR [SYS/TEMP] Too many connections: try again later\r\n"
SMTP_TOO_MANY: Final = b"421 4.7.0 Too many connections: try again later\r\n"


async def start_front(runtime: Runtime, stack: AsyncExitStack) -> None:
    """Open the logins of this process, and what its POP3 sessions share."""
    authenticator = await open_authenticator(runtime.database, runtime.clock)
    stack.push_async_callback(authenticator.close)
    runtime.capabilities.provide(AUTHENTICATOR, authenticator)
    pop3 = make_pop3_context(runtime, authenticator, mail_settings(runtime).pop3)
    stack.push_async_callback(pop3.late_writes.close)
    runtime.capabilities.provide(POP3, pop3)


def mail_settings(runtime: Runtime) -> MailSettings:
    """Return the section `[mail]`."""
    settings = runtime.settings["mail"]
    assert isinstance(settings, MailSettings)
    return settings


def _smtp(runtime: Runtime, door: Door, *, has_starttls: bool) -> SessionFactory:
    settings = mail_settings(runtime).smtp
    return make_smtp_factory(
        SmtpService(
            door=door,
            runtime=runtime,
            settings=settings,
            authenticator=runtime.capabilities.require(AUTHENTICATOR),
            has_starttls=has_starttls,
            relay_networks=tuple(map(parse_network, settings.relay_networks)),
            trusted_networks=tuple(map(parse_network, settings.trusted_networks)),
        )
    )


def _exchange(runtime: Runtime) -> SessionFactory:
    return _smtp(runtime, Door.EXCHANGE, has_starttls=True)


def _submission(runtime: Runtime) -> SessionFactory:
    return _smtp(runtime, Door.SUBMISSION, has_starttls=True)


def _submissions(runtime: Runtime) -> SessionFactory:
    return _smtp(runtime, Door.SUBMISSION, has_starttls=False)


def _lmtp(runtime: Runtime) -> SessionFactory:
    return _smtp(runtime, Door.LMTP, has_starttls=False)


def _imap(runtime: Runtime) -> SessionFactory:
    return make_imap_factory(
        runtime, runtime.capabilities.require(AUTHENTICATOR), mail_settings(runtime).imap, has_starttls=True
    )


def _imaps(runtime: Runtime) -> SessionFactory:
    return make_imap_factory(
        runtime, runtime.capabilities.require(AUTHENTICATOR), mail_settings(runtime).imap, has_starttls=False
    )


def _pop3(runtime: Runtime) -> SessionFactory:
    return make_pop3_factory(runtime.capabilities.require(POP3), has_starttls=True)


def _pop3s(runtime: Runtime) -> SessionFactory:
    return make_pop3_factory(runtime.capabilities.require(POP3), has_starttls=False)


LISTENERS: Final = (
    ListenerSpec("smtp", 25, TlsMode.STARTTLS, _exchange, SMTP_TOO_MANY),
    ListenerSpec("submission", 587, TlsMode.STARTTLS, _submission, SMTP_TOO_MANY),
    ListenerSpec("submissions", 465, TlsMode.IMPLICIT, _submissions),
    ListenerSpec("imap", 143, TlsMode.STARTTLS, _imap, IMAP_TOO_MANY, READERS_PER_NETWORK),
    ListenerSpec("imaps", 993, TlsMode.IMPLICIT, _imaps, max_per_network=READERS_PER_NETWORK),
    ListenerSpec("pop3", 110, TlsMode.STARTTLS, _pop3, POP3_TOO_MANY, READERS_PER_NETWORK),
    ListenerSpec("pop3s", 995, TlsMode.IMPLICIT, _pop3s, max_per_network=READERS_PER_NETWORK),
    ListenerSpec("lmtp", 24, TlsMode.NONE, _lmtp, SMTP_TOO_MANY),
)
"""Ports as assigned; LMTP has none of its own and takes 24, "any private mail system"."""
