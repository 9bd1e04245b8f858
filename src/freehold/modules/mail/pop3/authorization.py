"""What is said before login: CAPA, STLS, USER and PASS, AUTH (RFC 1939 §4, RFC 2595 §4, RFC 5034)."""

from freehold.accounts.errors import LoginFailedError
from freehold.accounts.model import Identity, Use
from freehold.kernel.log import get_logger
from freehold.kernel.stream import Verdict
from freehold.modules.mail.pop3.conversation import Conversation
from freehold.modules.mail.pop3.errors import MechanismError, PrivacyRequiredError
from freehold.modules.mail.pop3.maildrop import open_maildrop
from freehold.modules.mail.sasl_login import MECHANISMS, SaslLogin
from freehold.protocols.pop3 import reply
from freehold.protocols.pop3.capabilities import capabilities
from freehold.protocols.pop3.events import (
    Auth,
    AuthAborted,
    AuthList,
    AuthResponse,
    Capa,
    Login,
    StartTls,
    User,
)

log = get_logger("freehold.mail.pop3")

_PROOF_ONLY = frozenset({"SCRAM-SHA-256"})


async def capa(conversation: Conversation, _event: Capa) -> None:
    """Answer CAPA."""
    named = capabilities(
        user=conversation.is_private,
        starttls=_may_start_tls(conversation),
        mechanisms=_mechanisms(conversation),
    )
    conversation.send(reply.word_list("Capability list follows", named))


async def start_tls(conversation: Conversation, _event: StartTls) -> Verdict | None:
    """Answer STLS."""
    if not _may_start_tls(conversation):
        conversation.send(reply.error("TLS is not to be had here"))
        return None
    conversation.send(reply.ok("Begin TLS negotiation now"))
    return Verdict.START_TLS


async def user(conversation: Conversation, _event: User) -> None:
    """Answer USER: any name will do, so that nobody learns who exists (RFC 1939 §13).

    Raises:
        PrivacyRequiredError: the password that follows would be sent in plain text.
    """
    if not conversation.is_private:
        raise PrivacyRequiredError
    conversation.send(reply.ok("Now the password"))


async def log_in(conversation: Conversation, event: Login) -> None:
    """Answer PASS.

    Raises:
        PrivacyRequiredError: TLS is not in force.
        LoginFailedError: name or password is wrong.
        LoginsBusyError: too many logins at the moment, or this client guesses.
    """
    if not conversation.is_private:
        raise PrivacyRequiredError
    try:
        name, password = event.name.decode(), event.password.decode()
    except UnicodeDecodeError as error:
        raise LoginFailedError from error
    identity = await conversation.context.authenticator.authenticate(
        login=name, password=password, use=Use.POP3, client=conversation.peer.address
    )
    await _enter(conversation, identity)


async def list_mechanisms(conversation: Conversation, _event: AuthList) -> None:
    """Answer AUTH without a mechanism as Dovecot does."""
    conversation.send(reply.word_list("Mechanisms follow", _mechanisms(conversation)))


async def authenticate(conversation: Conversation, event: Auth) -> None:
    """Begin an exchange.

    Raises:
        MechanismError: it is not offered.
        PrivacyRequiredError: the mechanism sends the password, and TLS is not in force.
        LoginFailedError: the exchange or the credentials are wrong.
        LoginsBusyError: too many logins at the moment, or this client guesses.
    """
    if event.mechanism not in MECHANISMS:
        raise MechanismError
    if event.mechanism not in _mechanisms(conversation):
        raise PrivacyRequiredError
    exchange = SaslLogin(
        conversation.context.authenticator, Use.POP3, event.mechanism, conversation.peer.address
    )
    await _step(conversation, exchange, event.initial_response or b"")


async def respond(conversation: Conversation, event: AuthResponse) -> None:
    """Go on with an exchange; errors as `authenticate`."""
    exchange, conversation.exchange = conversation.exchange, None
    if exchange is None:
        raise LoginFailedError
    await _step(conversation, exchange, event.data)


async def abort(conversation: Conversation, event: AuthAborted) -> None:
    """End an exchange that the client has given up."""
    conversation.exchange = None
    conversation.send(reply.error(event.text))


async def _step(conversation: Conversation, exchange: SaslLogin, response: bytes) -> None:
    step = await exchange.step(response)
    if isinstance(step, Identity):
        await _enter(conversation, step)
        return
    conversation.exchange = exchange
    conversation.connection.expect_response()
    conversation.send(reply.challenge(step))


async def _enter(conversation: Conversation, identity: Identity) -> None:
    """Open the maildrop of someone who proved who they are."""
    maildrop = await open_maildrop(conversation.context.database, identity.login_id)
    conversation.opened = maildrop
    conversation.login = identity.login
    conversation.connection.logged_in()
    log.info("logged in", login=identity.login, client=str(conversation.peer.address), messages=len(maildrop))
    conversation.send(reply.ok(f"Logged in: {len(maildrop)} messages"))


def _may_start_tls(conversation: Conversation) -> bool:
    is_stranger = conversation.opened is None
    return is_stranger and conversation.has_starttls and conversation.peer.tls is None


def _mechanisms(conversation: Conversation) -> list[str]:
    return [name for name in MECHANISMS if conversation.is_private or name in _PROOF_ONLY]
