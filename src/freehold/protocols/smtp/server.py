"""Server side of one SMTP, submission or LMTP connection, without I/O (RFC 5321, 2033, 3207, 4954, 3030).

Feed bytes with `receive`, take events with `next_event`, answer those that wait with `accept` or `reply`,
and send what `bytes_to_send` gives. Order of commands, syntax, framing and bounds are kept here; who may send
what to whom, time-outs and hanging up belong to the session. Stop reading from the peer while an event waits
for its answer: what is received meanwhile is only stored.
"""

import binascii
from collections.abc import Sequence
from dataclasses import replace

from freehold.protocols.smtp import answers
from freehold.protocols.smtp.content import MESSAGE_TOO_LARGE, BdatReader, DataReader
from freehold.protocols.smtp.dispatch import Dialogue, find_bdat_refusal, interpret
from freehold.protocols.smtp.errors import CommandError
from freehold.protocols.smtp.events import (
    NEED_DATA,
    Answered,
    AuthAborted,
    AuthResponse,
    AuthStarted,
    BdatEnd,
    DataStarted,
    Event,
    Hello,
    Mail,
    MessageChunk,
    MessageEnd,
    MessageRefused,
    NeedData,
    ProtocolError,
    Quit,
    Rcpt,
    Refused,
    Reset,
    StartTls,
)
from freehold.protocols.smtp.grammar import decode_base64, parse_bdat, split_command
from freehold.protocols.smtp.lines import BadLineError, InputBuffer
from freehold.protocols.smtp.options import MAX_AUTH_OCTETS, MAX_COMMAND_OCTETS, ServerOptions, hello_reply
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.states import TRANSITIONS, State


class ServerConnection:
    """Turns a client's bytes into events, and the session's answers into bytes."""

    __slots__ = (
        "_content",
        "_dialogue",
        "_if_accepted",
        "_if_refused",
        "_input",
        "_output",
        "_pending",
        "_skip_octets",
        "_skip_reply",
    )

    def __init__(self, options: ServerOptions) -> None:
        self._dialogue = Dialogue(options)
        self._input = InputBuffer()
        self._output: list[bytes] = []
        self._pending: Event | None = None
        self._if_accepted = State.GREETING
        self._if_refused = State.GREETING
        self._content: DataReader | BdatReader | None = None
        self._skip_octets = 0
        self._skip_reply = answers.BAD_SEQUENCE

    @property
    def state(self) -> State:
        """Where the dialogue stands."""
        return self._dialogue.state

    @property
    def options(self) -> ServerOptions:
        """What is offered now."""
        return self._dialogue.options

    @property
    def is_extended(self) -> bool:
        """Whether the client introduced itself with EHLO or LHLO."""
        return self._dialogue.extended

    @property
    def is_authenticated(self) -> bool:
        """Whether AUTH succeeded on this connection."""
        return self._dialogue.authenticated

    @property
    def recipients(self) -> int:
        """How many recipients of this transaction were accepted."""
        return self._dialogue.recipients

    @property
    def has_early_bytes(self) -> bool:
        """Whether more was received than what was taken so far.

        Before the greeting, after HELO, EHLO, LHLO, DATA, STARTTLS, AUTH and QUIT, and always without
        PIPELINING, a client must wait for the answer (RFC 2920 §3.1): more bytes there are unauthorised.
        """
        return len(self._input) > 0

    def receive(self, data: bytes) -> None:
        """Store bytes read from the peer; during the TLS handshake and after the end they are dropped."""
        state = self._dialogue.state
        if state is not State.TLS and state is not State.CLOSED:
            self._input.append(data)

    def bytes_to_send(self) -> bytes:
        """Take everything queued for the peer."""
        output = self._output
        if not output:
            return b""
        data = output[0] if len(output) == 1 else b"".join(output)
        output.clear()
        return data

    def greet(self, reply: Reply | None = None) -> None:
        """Queue the greeting; a 4xx or 5xx turns the client away (RFC 5321 §3.1)."""
        if self._dialogue.state is not State.GREETING:
            raise RuntimeError("the client was greeted already")
        greeting = reply or Reply.of(
            220, None, f"{self.options.hostname} {'LMTP' if self.options.lmtp else 'ESMTP'}"
        )
        self._send(greeting)
        self._dialogue.state = State.START if greeting.is_positive else State.TURNED_AWAY

    def close(self, reply: Reply) -> None:
        """Queue a last word, such as 421, and read nothing more."""
        self._send(reply)
        self._end()

    def next_event(self) -> Event | NeedData:
        """Take the next event off the stream.

        Raises:
            ProtocolError: the peer broke a bound; the reply is queued, the connection is closed.
        """
        if self._pending is not None:
            raise RuntimeError(f"{type(self._pending).__name__} waits for its answer")
        state = self._dialogue.state
        if state in TRANSITIONS:
            return self._next_command()
        if state is State.DATA and isinstance(self._content, DataReader):
            return self._next_of_data(self._content)
        if state is State.CHUNK and isinstance(self._content, BdatReader):
            return self._next_of_chunk(self._content)
        if state is State.SKIP:
            return self._next_of_skip()
        return self._next_auth_response() if state is State.AUTH else NEED_DATA

    def accept(self) -> None:
        """Answer the waiting event with the usual words and go on."""
        pending = self._pending
        if isinstance(pending, Hello):
            self.reply(hello_reply(self.options, extended=pending.extended))
        else:
            self.reply(answers.ACCEPTANCES[type(self._waiting())])

    def reply(self, reply: Reply) -> None:
        """Answer the waiting event; 2xx and 3xx accept it, anything else refuses it.

        In LMTP, the answer to MessageEnd is given for every recipient.
        """
        pending = self._waiting()
        times = self.recipients if self.options.lmtp and isinstance(pending, MessageEnd) else 1
        self._send(reply, times=times)
        self._settle(pending, accepted=reply.is_positive)

    def reply_each(self, replies: Sequence[Reply]) -> None:
        """Answer MessageEnd in LMTP: one reply per accepted recipient, in their order (RFC 2033 §4.2)."""
        pending = self._waiting()
        if not (self.options.lmtp and isinstance(pending, MessageEnd) and len(replies) == self.recipients):
            raise RuntimeError("LMTP wants one reply per accepted recipient after the message")
        for reply in replies:
            self._send(reply)
        self._settle(pending, accepted=True)

    def challenge(self, data: bytes) -> None:
        """Answer an AUTH event with a challenge (334); an AuthResponse or AuthAborted follows."""
        if type(self._waiting()) not in {AuthStarted, AuthResponse}:
            raise RuntimeError("no authentication is under way")
        self._pending = None
        self._output.append(b"334 " + binascii.b2a_base64(data, newline=False) + b"\r\n")
        self._dialogue.state = State.AUTH

    def tls_started(self, options: ServerOptions | None = None) -> None:
        """Begin anew after the handshake, with `options` or the old ones marked as encrypted.

        Nothing that was said before the handshake is remembered (RFC 3207 §4.2).
        """
        if self._dialogue.state is not State.TLS:
            raise RuntimeError("STARTTLS was not accepted")
        self._input.clear()
        self._dialogue = Dialogue(options or replace(self.options, tls=True), State.START)

    def _waiting(self) -> Event:
        if self._pending is None:
            raise RuntimeError("no event waits for an answer")
        return self._pending

    def _send(self, reply: Reply, *, times: int = 1) -> None:
        self._output.append(reply.to_bytes() * times)

    def _end(self) -> None:
        self._pending = None
        self._content = None
        self._input.clear()
        self._dialogue.state = State.CLOSED

    def _fail(self, reply: Reply) -> ProtocolError:
        self.close(reply)
        return ProtocolError(reply)

    def _wait(self, event: Event, if_accepted: State, if_refused: State) -> Event:
        self._pending = event
        self._if_accepted = if_accepted
        self._if_refused = if_refused
        return event

    def _settle(self, pending: Event, *, accepted: bool) -> None:
        self._pending = None
        dialogue = self._dialogue
        dialogue.state = self._if_accepted if accepted else self._if_refused
        if isinstance(pending, MessageEnd):
            self._content = None
            dialogue.end_transaction()
        elif accepted:
            self._apply(pending)

    def _apply(self, accepted: Event) -> None:
        dialogue = self._dialogue
        match accepted:
            case Hello():
                self._content = None
                dialogue.introduce(extended=accepted.extended)
            case Mail():
                dialogue.utf8 = accepted.parameters.smtputf8
            case Rcpt():
                dialogue.recipients += 1
            case DataStarted():
                self._content = DataReader(dialogue.options)
            case StartTls():
                self._input.clear()
            case AuthStarted() | AuthResponse():
                dialogue.authenticated = True
            case _:
                pass

    def _next_command(self) -> Event | NeedData:
        source = self._input
        limit = MAX_AUTH_OCTETS if source.starts_with(b"AUTH ") else MAX_COMMAND_OCTETS
        try:
            line = source.take_line(limit)
            if line is None:
                return NEED_DATA
            command = split_command(line)
            if command.verb == "BDAT":
                return self._begin_bdat(command.argument)
            return self._begin(interpret(command, self._dialogue), command.verb)
        except BadLineError as error:
            return self._refuse(answers.LINE_TOO_LONG if error.too_long else answers.LINE_WITHOUT_CRLF)
        except CommandError as error:
            return self._refuse(error.reply)

    def _refuse(self, reply: Reply) -> Event:
        self._send(reply)
        return Refused(reply)

    def _begin(self, event: Event, verb: str) -> Event:
        dialogue = self._dialogue
        match event:
            case Quit():
                self.close(answers.GOODBYE)
            case Answered():
                self._send(answers.ANSWERS[verb])
            case Reset():
                self._send(answers.OK)
                self._content = None
                dialogue.end_transaction()
                dialogue.state = TRANSITIONS[dialogue.state][verb]
            case _:
                self._wait(event, TRANSITIONS[dialogue.state][verb], dialogue.state)
        return event

    def _begin_bdat(self, argument: str) -> Event | NeedData:
        try:
            event = parse_bdat(argument)
        except CommandError as error:
            # How much content follows is unknown, and content must never be read as commands.
            raise self._fail(error.reply) from None
        refusal = find_bdat_refusal(self._dialogue)
        if refusal is not None:
            return self._begin_skip(event.octets, refusal)
        reader = self._content
        if not isinstance(reader, BdatReader):
            reader = self._content = BdatReader(self.options)
        if not reader.begin(event.octets, last=event.last):
            raise self._fail(MESSAGE_TOO_LARGE)
        self._dialogue.state = State.CHUNK
        return event

    def _begin_skip(self, octets: int, refusal: Reply) -> Event | NeedData:
        if octets > self.options.discard_bound_bytes:
            raise self._fail(MESSAGE_TOO_LARGE)
        self._skip_octets = octets
        self._skip_reply = refusal
        self._if_refused = self._dialogue.state
        self._dialogue.state = State.SKIP
        return self._next_of_skip()

    def _next_of_skip(self) -> Event | NeedData:
        self._skip_octets -= len(self._input.take(self._skip_octets))
        if self._skip_octets:
            return NEED_DATA
        self._dialogue.state = self._if_refused
        return self._refuse(self._skip_reply)

    def _next_of_data(self, reader: DataReader) -> Event | NeedData:
        if not reader.done and self._input:
            content = reader.feed(self._input.take_all())
            self._input.append(reader.leftover)
            if content:
                return MessageChunk(content)
        if reader.bounds.is_exceeded:
            raise self._fail(MESSAGE_TOO_LARGE)
        if not reader.done:
            return NEED_DATA
        if reader.bounds.refusal is not None:
            return self._refuse_content(reader.bounds.refusal, last=True)
        return self._wait(MessageEnd(reader.bounds.octets), State.READY, State.READY)

    def _next_of_chunk(self, reader: BdatReader) -> Event | NeedData:
        if reader.remaining:
            if not self._input:
                return NEED_DATA
            content = reader.feed(self._input.take(reader.remaining))
            if content:
                return MessageChunk(content)
            if reader.remaining:
                return NEED_DATA
        if reader.is_last:
            reader.finish()
        if reader.bounds.refusal is not None:
            return self._refuse_content(reader.bounds.refusal, last=reader.is_last)
        if reader.is_last:
            return self._wait(MessageEnd(reader.bounds.octets), State.READY, State.READY)
        return self._wait(BdatEnd(reader.chunk_octets), State.BDAT, State.BDAT_FAILED)

    def _refuse_content(self, reply: Reply, *, last: bool) -> Event:
        self._send(reply, times=self.recipients if self.options.lmtp and last else 1)
        self._content = None
        self._dialogue.end_transaction()
        self._dialogue.state = State.READY if last else State.BDAT_FAILED
        return MessageRefused(reply)

    def _next_auth_response(self) -> Event | NeedData:
        try:
            line = self._input.take_line(MAX_AUTH_OCTETS)
            if line is None:
                return NEED_DATA
            if line == b"*":
                return self._abort_auth(answers.AUTH_CANCELLED)
            response = decode_base64(line)
        except BadLineError as error:
            return self._abort_auth(
                answers.AUTH_LINE_TOO_LONG if error.too_long else answers.LINE_WITHOUT_CRLF
            )
        except CommandError as error:
            return self._abort_auth(error.reply)
        return self._wait(AuthResponse(response), State.READY, State.READY)

    def _abort_auth(self, reply: Reply) -> Event:
        self._send(reply)
        self._dialogue.state = State.READY
        return AuthAborted(reply)
