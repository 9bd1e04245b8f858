"""One peer of SMTP, submission or LMTP: events become decisions, decisions become replies."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger
from freehold.kernel.stream import Peer, PeerGoneError, SessionFactory, Verdict
from freehold.modules.mail.metrics import REFUSED
from freehold.modules.mail.smtp import replies
from freehold.modules.mail.smtp.envelope import (
    Client,
    Envelope,
    Submitter,
    accept_recipient,
    new_envelope,
    sender_refusal,
)
from freehold.modules.mail.smtp.limits import Patience
from freehold.modules.mail.smtp.login import LoginExchange
from freehold.modules.mail.smtp.receive import Reception
from freehold.modules.mail.smtp.service import SmtpService
from freehold.protocols.smtp.events import (
    NEED_DATA,
    Answered,
    AuthAborted,
    AuthResponse,
    AuthStarted,
    BdatEnd,
    BdatStarted,
    DataStarted,
    Event,
    Hello,
    Mail,
    MessageChunk,
    MessageEnd,
    MessageRefused,
    ProtocolError,
    Quit,
    Rcpt,
    Refused,
    Reset,
    StartTls,
)
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.server import ServerConnection

log = get_logger("freehold.mail.smtp")


class SmtpSession:
    """Implements `StreamSession` for all three doors."""

    __slots__ = (
        "_connection",
        "_envelope",
        "_hello",
        "_is_greeted",
        "_login",
        "_patience",
        "_peer",
        "_progress_ms",
        "_reception",
        "_service",
        "_submitter",
        "_verdict",
    )

    def __init__(self, service: SmtpService, peer: Peer) -> None:
        self._service = service
        self._peer = peer
        options = service.options(tls=peer.tls is not None, loopback=peer.address.is_loopback)
        self._connection = ServerConnection(options)
        self._progress_ms = service.runtime.clock.now_ms()
        self._patience = Patience(service.settings, self._progress_ms)
        self._is_greeted = False
        self._hello = ""
        self._submitter: Submitter | None = None
        self._login: LoginExchange | None = None
        self._envelope: Envelope | None = None
        self._reception: Reception | None = None
        self._verdict = Verdict.READ

    @property
    def idle_seconds(self) -> float:
        """How long the peer may take to complete what it sends next; single octets win it no time."""
        settings, now_ms = self._service.settings, self._service.runtime.clock.now_ms()
        allowed = settings.data_seconds if self._reception is not None else settings.command_seconds
        left = allowed - (now_ms - self._progress_ms) / 1000
        return max(0.0, min(left, self._patience.seconds_left(now_ms)))

    def receive(self, data: bytes) -> None:
        """Buffer bytes that were read."""
        self._connection.receive(data)

    async def advance(self) -> Verdict:
        """Answer all that is complete."""
        if not self._is_greeted:
            self._is_greeted = True
            self._connection.greet(replies.PIPELINING_REFUSED if self._peer.has_unread else None)
        try:
            await self._answer_all()
        except ProtocolError as error:
            self._drop_message()
            self._verdict = Verdict.CLOSE
            log.info("connection refused", client=self._peer.address, reason=error.reply.text)
        self._send()
        return self._verdict

    def tls_started(self) -> None:
        """Forget everything learnt in plain text."""
        self._connection.tls_started(self._service.options(tls=True, loopback=self._peer.address.is_loopback))
        self._hello = ""
        self._submitter = None
        self._drop_message()
        self._verdict = Verdict.READ

    def timed_out(self) -> None:
        """Say that the silence was too long."""
        self._farewell(replies.SILENT_TOO_LONG)

    def shutting_down(self) -> None:
        """Say that the server stops."""
        self._farewell(replies.SHUTTING_DOWN)

    def ended(self) -> None:
        """Forget what has not been accepted."""
        self._drop_message()

    def _farewell(self, reply: Reply) -> None:
        self._connection.close(reply)
        self._send()
        self._drop_message()

    def _send(self) -> None:
        data = self._connection.bytes_to_send()
        if data:
            self._peer.send(data)

    async def _answer_all(self) -> None:
        connection = self._connection
        has_progressed = False
        while self._verdict is Verdict.READ:
            event = connection.next_event()
            if event is NEED_DATA:
                break
            has_progressed = True
            try:
                await _HANDLERS[type(event)](self, event)
            except PeerGoneError:
                raise
            except FreeholdError as error:
                await self._refuse(replies.reply_for(error))
                if isinstance(error.__cause__, Exception):
                    log.warning("command failed", client=self._peer.address, error=str(error.__cause__))
        if has_progressed:
            self._progress_ms = self._service.runtime.clock.now_ms()

    async def _refuse(self, reply: Reply) -> None:
        """Answer the waiting event with a refusal, and count it."""
        self._connection.reply(reply)
        REFUSED.labels(self._service.door.value, str(reply.code)).inc()
        log.info("refused", client=self._peer.address, hello=self._hello, code=reply.code, reason=reply.text)
        await self._count_error()

    async def _count_error(self) -> None:
        delay = self._patience.count_error()
        if self._patience.has_too_many_errors:
            self._close(replies.TOO_MANY_ERRORS)
        elif delay > 0:
            await asyncio.sleep(delay)

    def _close(self, reply: Reply) -> None:
        self._connection.close(reply)
        self._drop_message()
        self._verdict = Verdict.CLOSE

    def _drop_message(self) -> None:
        self._envelope = None
        if self._reception is not None:
            self._reception.abort()
            self._reception = None

    async def _is_unwelcome(self, *, must_wait: bool) -> bool:
        """Check what goes for every command; True: the connection has been closed.

        `must_wait` marks commands after which a client waits for the answer (RFC 2920 §3.1); more
        bytes behind them, or behind any command without PIPELINING, are unauthorised.
        """
        now_ms = self._service.runtime.clock.now_ms()
        if self._patience.is_too_old(now_ms):
            self._close(replies.CONNECTION_TOO_OLD)
            return True
        if self._patience.is_command_too_many(now_ms):
            self._close(replies.TOO_MANY_COMMANDS)
            return True
        has_early = self._connection.has_early_bytes or self._peer.has_unread
        if has_early and (must_wait or not self._connection.is_extended):
            log.info("unauthorised pipelining", client=self._peer.address, hello=self._hello)
            self._close(replies.PIPELINING_REFUSED)
            return True
        return False

    def _client(self) -> Client:
        return Client(self._peer.address, self._hello, self._submitter)

    async def _on_hello(self, event: Hello) -> None:
        if await self._is_unwelcome(must_wait=True):
            return
        self._hello = event.name
        self._drop_message()
        self._connection.accept()

    async def _on_mail(self, event: Mail) -> None:
        if await self._is_unwelcome(must_wait=False):
            return
        if self._patience.has_too_many_messages:
            self._close(replies.TOO_MANY_MESSAGES)
            return
        refusal = await sender_refusal(self._service, self._client(), event)
        if refusal is not None:
            await self._refuse(refusal)
            return
        self._envelope = new_envelope(event)
        self._connection.accept()

    async def _on_rcpt(self, event: Rcpt) -> None:
        if await self._is_unwelcome(must_wait=False):
            return
        assert self._envelope is not None
        answer = await accept_recipient(self._service, self._client(), self._envelope, event)
        if isinstance(answer, Reply):
            if answer is replies.TOO_MANY_RECIPIENTS:  # the client's next message may bring the rest
                self._connection.reply(answer)
                return
            await self._refuse(answer)
            return
        self._envelope.recipients.append(answer)
        self._connection.accept()

    async def _on_data(self, _event: DataStarted) -> None:
        if await self._is_unwelcome(must_wait=True):
            return
        self._begin_message()
        self._connection.accept()

    async def _on_bdat(self, _event: BdatStarted) -> None:
        if self._reception is None and self._envelope is not None and self._envelope.recipients:
            self._begin_message()

    def _begin_message(self) -> None:
        assert self._envelope is not None
        self._patience.count_message()
        self._reception = Reception(self._service, self._peer, self._client(), self._envelope)

    async def _on_chunk(self, event: MessageChunk) -> None:
        if self._reception is not None:
            await self._reception.write(event.content)

    async def _on_bdat_end(self, _event: BdatEnd) -> None:
        if self._reception is not None and self._reception.failure is not None:
            await self._refuse(replies.reply_for(self._reception.failure))
            return
        self._connection.accept()

    async def _on_message_end(self, _event: MessageEnd) -> None:
        assert self._reception is not None
        reception, self._reception, self._envelope = self._reception, None, None
        try:
            reply = await reception.complete()
        finally:
            reception.abort()
        if reply.is_positive:
            self._connection.reply(reply)
        else:
            await self._refuse(reply)

    async def _on_message_refused(self, event: MessageRefused) -> None:
        log.info("message refused", client=self._peer.address, hello=self._hello, reason=event.reply.text)
        self._drop_message()
        await self._count_error()

    async def _on_start_tls(self, _event: StartTls) -> None:
        self._connection.accept()
        self._drop_message()
        self._verdict = Verdict.START_TLS

    async def _on_auth(self, event: AuthStarted) -> None:
        if await self._is_unwelcome(must_wait=True):
            return
        self._login = LoginExchange(self._service, self._peer.address, event.mechanism)
        await self._continue_login(event.initial_response)

    async def _on_auth_response(self, event: AuthResponse) -> None:
        await self._continue_login(event.response)

    async def _continue_login(self, response: bytes | None) -> None:
        assert self._login is not None
        answer = await self._login.step(response)
        if isinstance(answer, bytes):
            self._connection.challenge(answer)
            return
        self._login = None
        self._submitter = answer
        log.info("logged in", client=self._peer.address, login=answer.login)
        self._connection.accept()

    async def _on_auth_aborted(self, _event: AuthAborted) -> None:
        self._login = None
        await self._count_error()

    async def _on_reset(self, _event: Reset) -> None:
        self._drop_message()
        await self._is_unwelcome(must_wait=False)

    async def _on_answered(self, _event: Answered) -> None:
        await self._is_unwelcome(must_wait=False)

    async def _on_refused(self, _event: Refused) -> None:
        await self._count_error()

    async def _on_quit(self, _event: Quit) -> None:
        self._drop_message()
        self._verdict = Verdict.CLOSE


_HANDLERS: dict[type[Event], Callable[[SmtpSession, Any], Awaitable[None]]] = {
    Hello: SmtpSession._on_hello,
    Mail: SmtpSession._on_mail,
    Rcpt: SmtpSession._on_rcpt,
    DataStarted: SmtpSession._on_data,
    BdatStarted: SmtpSession._on_bdat,
    MessageChunk: SmtpSession._on_chunk,
    BdatEnd: SmtpSession._on_bdat_end,
    MessageEnd: SmtpSession._on_message_end,
    MessageRefused: SmtpSession._on_message_refused,
    StartTls: SmtpSession._on_start_tls,
    AuthStarted: SmtpSession._on_auth,
    AuthResponse: SmtpSession._on_auth_response,
    AuthAborted: SmtpSession._on_auth_aborted,
    Reset: SmtpSession._on_reset,
    Answered: SmtpSession._on_answered,
    Refused: SmtpSession._on_refused,
    Quit: SmtpSession._on_quit,
}


def make_factory(service: SmtpService) -> SessionFactory:
    """Return what the listener makes a session of each connection with."""
    return lambda peer: SmtpSession(service, peer)
