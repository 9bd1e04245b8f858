"""One IMAP peer: turns events of the protocol into commands of the families, and errors into replies."""

from freehold.accounts.errors import LoginFailedError
from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger
from freehold.kernel.stream import Peer, PeerGoneError, Verdict
from freehold.modules.mail.imap import any_state, authenticate, compress
from freehold.modules.mail.imap.append.command import Append, AppendEvent
from freehold.modules.mail.imap.context import ImapContext
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import SessionOverError, UidRequiredError, code_of
from freehold.modules.mail.imap.families import allows_expunges, answer, goes_by_uid
from freehold.modules.mail.imap.notify import idle
from freehold.modules.mail.imap.notify.news import tell_at_once, tell_open_folder, tell_others
from freehold.modules.mail.imap.search.saved_result import forget_result
from freehold.modules.mail.imap.select import close_previous
from freehold.modules.mail.imap.sync import has_untold_expunges
from freehold.protocols.imap import response, response_code
from freehold.protocols.imap.any_state import Logout
from freehold.protocols.imap.authenticate import Authenticate, StartTls
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.compress import Compress
from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.errors import ProtocolError, Status
from freehold.protocols.imap.events import (
    NEED_DATA,
    AppendFinished,
    AppendMessageEnd,
    AppendStarted,
    AuthAborted,
    AuthResponse,
    BadCommand,
    CatenateText,
    CatenateUrl,
    Event,
    IdleDone,
    LiteralChunk,
)
from freehold.protocols.imap.idle import Idle
from freehold.protocols.imap.select import Select
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.imap")


class ImapSession:
    """The `StreamSession` of one client."""

    __slots__ = (
        "_append",
        "_bad_commands",
        "_conversation",
        "_exchange",
        "_is_greeted",
        "_is_idling",
        "_progress_ms",
    )

    def __init__(self, context: ImapContext, peer: Peer, *, has_starttls: bool) -> None:
        self._conversation = Conversation(context, peer, ServerConnection())
        self._conversation.has_starttls = has_starttls
        self._append: Append | None = None
        self._exchange: authenticate.Exchange | None = None
        self._bad_commands = 0
        self._is_greeted = False
        self._is_idling = False
        self._progress_ms = context.clock.now_ms()

    @property
    def idle_seconds(self) -> float:
        """How long the client may take to complete what it sends next; single octets win it no time."""
        context = self._conversation.context
        settings = context.settings
        allowed = settings.idle_seconds if self._conversation.mailbox_id else settings.login_seconds
        return max(0.0, allowed - (context.clock.now_ms() - self._progress_ms) / 1000)

    def receive(self, data: bytes) -> None:
        """Buffer bytes."""
        self._conversation.connection.receive(data)

    async def advance(self) -> Verdict:
        """Answer every command that is complete, or tell an idling client what is new."""
        try:
            self._greet()
            if self._append is None and (self._is_idling or self._conversation.notify is not None):
                await tell_at_once(self._conversation, is_idling=self._is_idling)
            return await self._answer_all()
        except ProtocolError as error:
            self._say_bye(error.public)
        except SessionOverError as error:
            self._say_bye(error.public)
        except StorageError as error:
            log.exception("session given up")
            self._say_bye(error.public, response_code.UNAVAILABLE)
        return Verdict.CLOSE

    def tls_started(self) -> None:
        """Forget what was said in plain text."""
        self._exchange = None
        self._conversation.connection.tls_started()

    def timed_out(self) -> None:
        """Say why the connection closes."""
        self._say_bye("Autologout; idle for too long")

    def shutting_down(self) -> None:
        """Say why the connection closes."""
        self._say_bye("Server is shutting down, try again soon", response_code.UNAVAILABLE)

    def ended(self) -> None:
        """Stop watching, and remove a message that was not received in full."""
        self._stop_idle()
        idle.end_notify(self._conversation)
        self._abandon_append()

    def _greet(self) -> None:
        if self._is_greeted:
            return
        self._is_greeted = True
        conversation = self._conversation
        code = response_code.capability(any_state.capabilities(conversation))
        conversation.send(response.untagged_ok(f"{conversation.context.hostname} ready", code))

    async def _answer_all(self) -> Verdict:
        connection = self._conversation.connection
        while True:
            event = connection.next_event()
            self._push()
            if event is NEED_DATA:
                return Verdict.READ
            verdict = await self._answer(event)
            self._progress_ms = self._conversation.context.clock.now_ms()
            self._push()
            if verdict is not None:
                return verdict

    def _push(self) -> None:
        """Send what the connection itself has to say: continuation requests, refusals of APPEND."""
        data = self._conversation.connection.bytes_to_send()
        if data:
            self._conversation.send(data)

    async def _answer(  # noqa: C901, PLR0911 (one case for each event)
        self, event: Event
    ) -> Verdict | None:
        if isinstance(event, BadCommand):
            return self._answer_bad(event)
        self._bad_commands = 0
        match event:
            case LiteralChunk() | AppendStarted() | AppendMessageEnd() | CatenateText() | CatenateUrl():
                await self._take_message(event)
            case AppendFinished():
                await self._finish_append(event)
            case IdleDone():
                await self._complete(event.tag, self._stop_idle(), expunges=True)
            case Idle():
                await self._start_idle()
            case AuthResponse():
                return await self._continue_exchange(event.data)
            case AuthAborted():
                self._exchange = None
                self._conversation.send(response.bad(event.tag, "Authentication aborted"))
            case Authenticate():
                return await self._begin_exchange(event)
            case StartTls():
                return self._start_tls(event)
            case Compress():
                await self._start_compression(event)
            case Logout():
                self._say_bye("Logging out")
                self._conversation.send(response.ok(event.tag, "Logout completed"))
                return Verdict.CLOSE
            case _:
                return await self._run(event)
        return None

    def _answer_bad(self, event: BadCommand) -> Verdict | None:
        self._exchange = None
        self._stop_idle()
        self._abandon_append()
        if event.forgets_result and self._conversation.view is not None:
            forget_result(self._conversation.view)
        if event.status is Status.NO and event.name in {b"SELECT", b"EXAMINE"}:
            close_previous(self._conversation)
        self._conversation.send(response.refusal(event))
        self._bad_commands += 1
        if self._bad_commands < self._conversation.context.settings.max_bad_commands:
            return None
        self._say_bye("Too many invalid commands")
        return Verdict.CLOSE

    async def _run(self, command: Command) -> Verdict | None:
        """Run a command of a family and send its tagged reply."""
        conversation = self._conversation
        try:
            await authenticate.check_access(conversation)
            reply = await answer(conversation, command)
        except (PeerGoneError, SessionOverError):
            raise
        except FreeholdError as error:
            return await self._refuse(command, error)
        conversation.connection.completed(command, ok=reply.status is Status.OK)
        if isinstance(command, Select) and conversation.notify is None:
            # What the reply describes stays as it is until its end, as with Dovecot: who resynchronises
            # reckons with its EXISTS. The next command tells what happened since.
            conversation.send(response.tagged(command.tag, reply.status, reply.text, reply.code))
            return None
        await self._complete(command.tag, reply, expunges=allows_expunges(command), uid=goes_by_uid(command))
        return None

    async def _refuse(self, command: Command, error: FreeholdError) -> Verdict | None:
        """Send the NO that an error becomes."""
        conversation = self._conversation
        conversation.connection.completed(command, ok=False)
        _note_fault(error, type(command).__name__)
        reply = Reply(error.public, code_of(error), Status.NO)
        await self._complete(command.tag, reply, expunges=allows_expunges(command))
        if not isinstance(error, LoginFailedError):
            return None
        log.warning("login failed", client=str(conversation.peer.address))
        conversation.login_failures += 1
        if conversation.login_failures < conversation.context.settings.max_login_failures:
            return None
        self._say_bye("Too many failed logins")
        return Verdict.CLOSE

    async def _complete(self, tag: bytes, reply: Reply, *, expunges: bool, uid: bool = False) -> None:
        """Tell what is new in the open folder, then send the tagged reply.

        Expunges that may not be told yet are hinted at (RFC 9051 §7.1, EXPUNGEISSUED): what was found or
        changed may lack messages that the client still counts. HIGHESTMODSEQ has it not believe the higher
        mod-sequences it was told (RFC 7162 §3.2, §6).
        """
        conversation = self._conversation
        code = reply.code
        await tell_open_folder(conversation, expunges=expunges, own=reply.own, uid=uid)
        view = conversation.view
        if view is not None and has_untold_expunges(view):
            if code is None and reply.status is Status.OK:
                code = response_code.EXPUNGEISSUED
            if conversation.condstore:
                known = response_code.highest_mod_sequence(view.expunged_modseq)
                conversation.send(response.untagged_ok("Expunges are told later", known))
        if conversation.notify is not None:
            await tell_others(conversation)
            idle.attend(conversation)
        conversation.send(response.tagged(tag, reply.status, reply.text, code))

    async def _start_idle(self) -> None:
        self._is_idling = True
        idle.start_idle(self._conversation)
        self._push()
        await tell_at_once(self._conversation, is_idling=True)

    def _stop_idle(self) -> Reply:
        self._is_idling = False
        return idle.stop_idle(self._conversation)

    def _start_tls(self, command: StartTls) -> Verdict | None:
        conversation = self._conversation
        if conversation.peer.tls is not None or not conversation.has_starttls:
            conversation.send(response.bad(command.tag, "TLS is not to be had here"))
            return None
        conversation.send(response.ok(command.tag, "Begin TLS negotiation now"))
        return Verdict.START_TLS

    async def _start_compression(self, command: Compress) -> None:
        conversation = self._conversation
        if conversation.is_compressed:
            await self._complete(command.tag, compress.ALREADY_ACTIVE, expunges=True)
            return
        await self._complete(command.tag, compress.ACCEPTED, expunges=True)
        compress.start_compression(conversation)

    async def _begin_exchange(self, command: Authenticate) -> Verdict | None:
        try:
            begun = authenticate.begin_exchange(self._conversation, command)
        except FreeholdError as error:
            return await self._refuse(command, error)
        if isinstance(begun, Reply):
            await self._complete(command.tag, begun, expunges=False)
            return None
        self._exchange = begun
        return await self._continue_exchange(command.initial_response or b"")

    async def _continue_exchange(self, data: bytes) -> Verdict | None:
        exchange = self._exchange
        if exchange is None:
            return None
        connection = self._conversation.connection
        try:
            step = await exchange.step(self._conversation, data)
        except FreeholdError as error:
            self._exchange = None
            return await self._refuse(exchange.command, error)
        if isinstance(step, bytes):
            connection.challenge(step)
            return None
        self._exchange = None
        connection.completed(exchange.command, ok=True)
        await self._complete(exchange.command.tag, step, expunges=False)
        return None

    async def _take_message(self, event: AppendEvent) -> None:
        """Take a part of an APPEND, or refuse the whole command."""
        conversation = self._conversation
        try:
            if self._append is None:
                await authenticate.check_access(conversation)
                self._append = Append()
            await self._append.take(conversation, event)
        except SessionOverError:
            raise
        except FreeholdError as error:
            _note_fault(error, "Append")
            self._abandon_append()
            status = Status.BAD if isinstance(error, UidRequiredError) else Status.NO
            conversation.connection.refuse(error.public, code_of(error), status)

    async def _finish_append(self, event: AppendFinished) -> None:
        append, self._append = self._append, None
        if append is None:
            return
        try:
            reply = await append.commit(self._conversation)
        except (PeerGoneError, SessionOverError):
            raise
        except FreeholdError as error:
            _note_fault(error, "Append")
            reply = Reply(error.public, code_of(error), Status.NO)
        await self._complete(event.tag, reply, expunges=True)

    def _abandon_append(self) -> None:
        if self._append is not None:
            self._append.abandon()
            self._append = None

    def _say_bye(self, text: str, code: bytes | None = None) -> None:
        self._conversation.send(response.bye(text, code))


def _note_fault(error: FreeholdError, command: str) -> None:
    """Log what is no fault of the client's; its cause is chained to the error."""
    if isinstance(error, StorageError):
        log.exception("command failed", command=command)  # noqa: LOG004 (called while it is handled)
