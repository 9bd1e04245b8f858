"""One POP3 peer: turns events of the protocol into calls of the commands, and errors into replies."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from freehold.accounts.errors import LoginFailedError
from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger
from freehold.kernel.stream import Peer, PeerGoneError, SessionFactory, Verdict
from freehold.modules.mail.pop3 import authorization, transaction
from freehold.modules.mail.pop3.context import Pop3Context
from freehold.modules.mail.pop3.conversation import Conversation
from freehold.modules.mail.pop3.errors import AccessEndedError, code_of
from freehold.modules.mail.pop3.retrieve import retrieve, retrieve_top
from freehold.modules.mail.pop3.update import note_seen, update
from freehold.protocols.pop3 import events, reply
from freehold.protocols.pop3.events import BadCommand, Event, NeedData, Quit
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.pop3")

COMMANDS_AT_ONCE = 100
"""Commands of one client that are answered before others have their turn."""

Handler = Callable[[Conversation, Any], Awaitable[Verdict | None]]


class Pop3Session:
    """The `StreamSession` of one client."""

    __slots__ = ("_bad_commands", "_conversation", "_is_greeted", "_login_failures", "_progress_ms")

    def __init__(self, context: Pop3Context, peer: Peer, *, has_starttls: bool) -> None:
        self._conversation = Conversation(context, peer, has_starttls=has_starttls)
        self._bad_commands = 0
        self._login_failures = 0
        self._is_greeted = False
        self._progress_ms = context.clock.now_ms()

    @property
    def idle_seconds(self) -> float:
        """How long the client may take to complete what it sends next; single octets win it no time."""
        context = self._conversation.context
        settings = context.settings
        allowed = settings.login_seconds if self._conversation.opened is None else settings.idle_seconds
        return max(0.0, allowed - (context.clock.now_ms() - self._progress_ms) / 1000)

    def receive(self, data: bytes) -> None:
        """Buffer bytes."""
        self._conversation.connection.receive(data)

    async def advance(self) -> Verdict:
        """Answer every command that is complete."""
        if not self._is_greeted:
            self._is_greeted = True
            self._conversation.send(reply.ok(f"{self._conversation.context.hostname} ready"))
        for count in itertools.count(1):
            event = self._conversation.connection.next_event()
            if isinstance(event, NeedData):
                break
            verdict = await self._answer(event)
            self._progress_ms = self._conversation.context.clock.now_ms()
            if verdict is not None:
                return verdict
            if count % COMMANDS_AT_ONCE == 0:
                await self._conversation.peer.flush()
                await asyncio.sleep(0)
        return Verdict.READ

    def tls_started(self) -> None:
        """Forget what was said in plain text."""
        self._conversation.exchange = None
        self._conversation.connection.tls_started()

    def timed_out(self) -> None:
        """Say nothing: the client would take it for an answer (RFC 1939 §3)."""

    def shutting_down(self) -> None:
        """Say why the connection closes."""
        self._conversation.send(
            reply.error("Server is shutting down, try again soon", reply.ResponseCode.SYS_TEMP)
        )

    def ended(self) -> None:
        r"""Have what was retrieved marked as \Seen; what was marked as deleted stays (RFC 1939 §6)."""
        conversation = self._conversation
        maildrop, conversation.opened = conversation.opened, None
        if maildrop is not None and maildrop.seen:
            context = conversation.context
            context.late_writes.start(note_seen(context, maildrop))

    async def _answer(self, event: Event) -> Verdict | None:
        if isinstance(event, BadCommand):
            return self._answer_bad(event)
        self._bad_commands = 0
        try:
            if isinstance(event, Quit):
                return await self._quit()
            return await _HANDLERS[type(event)](self._conversation, event)
        except PeerGoneError:
            raise
        except FreeholdError as error:
            return self._refuse(event, error)

    def _answer_bad(self, event: BadCommand) -> Verdict | None:
        self._bad_commands += 1
        is_last = self._bad_commands >= self._conversation.context.settings.max_bad_commands
        self._conversation.send(reply.error("Too many invalid commands" if is_last else event.text))
        return Verdict.CLOSE if is_last else None

    def _refuse(self, event: Event, error: FreeholdError) -> Verdict | None:
        """Send the -ERR that an error becomes; some are the last word."""
        conversation = self._conversation
        if isinstance(error, StorageError):
            log.exception("command failed", command=type(event).__name__)  # noqa: LOG004 (while it is handled)
        conversation.send(reply.error(_sentence(error.public), code_of(error)))
        if isinstance(error, AccessEndedError) or isinstance(event, Quit):
            return Verdict.CLOSE
        if not isinstance(error, LoginFailedError):
            return None
        log.warning("login failed", client=str(conversation.peer.address))
        self._login_failures += 1
        is_last = self._login_failures >= conversation.context.settings.max_login_failures
        return Verdict.CLOSE if is_last else None

    async def _quit(self) -> Verdict:
        """Answer QUIT; after login with the outcome of the UPDATE state (RFC 1939 §6)."""
        conversation = self._conversation
        if conversation.opened is not None:
            await update(conversation)
        conversation.send(reply.ok("Goodbye"))
        return Verdict.CLOSE


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_HANDLERS: dict[type[Event], Handler] = {
    events.Capa: authorization.capa,
    events.StartTls: authorization.start_tls,
    events.User: authorization.user,
    events.Login: authorization.log_in,
    events.AuthList: authorization.list_mechanisms,
    events.Auth: authorization.authenticate,
    events.AuthResponse: authorization.respond,
    events.AuthAborted: authorization.abort,
    events.Stat: transaction.stat,
    events.List: transaction.list_messages,
    events.Uidl: transaction.list_unique_ids,
    events.Retr: retrieve,
    events.Top: retrieve_top,
    events.Dele: transaction.delete,
    events.Noop: transaction.nothing,
    events.Reset: transaction.reset,
}


def make_factory(context: Pop3Context, *, has_starttls: bool) -> SessionFactory:
    """Return what a listener makes sessions with; `has_starttls`: it begins in plain text and can do TLS."""
    return lambda peer: Pop3Session(context, peer, has_starttls=has_starttls)
