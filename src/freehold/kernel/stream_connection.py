"""One accepted connection: its session's bursts, its TLS, its back-pressure and its end.

Everything runs on the event loop's callbacks. A task exists only while the connection is opened or
its session answers (a burst); an idle connection is this object, its transport and its session.
Time-outs are deadlines that the listener's sweep compares with the time; no timers are kept here.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from ipaddress import IPv4Address, IPv6Address
from typing import cast

from freehold.kernel.compression import CompressedTransport
from freehold.kernel.connection_owner import Owner, State
from freehold.kernel.stream import PeerGoneError, StreamSession, TlsFacts, Verdict
from freehold.kernel.tls import facts_of, reason_of, upgrade

log = logging.getLogger("freehold.listener")

CORK_BYTES = 16 * 1024
"""Pieces are joined up to here, a TLS record, before the transport gets them."""


class StreamConnection(asyncio.Protocol):
    """The `Peer` of one session, and the protocol of its transport."""

    __slots__ = (
        "_drained", "_is_gone", "_is_reading_paused", "_is_upgrading", "_is_woken", "_is_writing_paused",
        "_left_to_write", "_owner", "_saw_eof", "_session", "_task", "_to_send", "_to_send_bytes",
        "_transport", "_unread", "_unread_bytes", "address", "deadline", "port", "state", "tls",
    )  # fmt: skip

    def __init__(self, owner: Owner, address: IPv4Address | IPv6Address, port: int) -> None:
        self.address = address
        self.port = port
        self.tls: TlsFacts | None = None
        self.state = State.OPENING
        self.deadline = math.inf
        self._owner = owner
        self._session: StreamSession | None = None
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._to_send: list[bytes] | None = None
        self._to_send_bytes = 0
        self._unread: list[bytes] | None = None
        self._unread_bytes = 0
        self._left_to_write = 0
        self._is_gone = False
        self._is_reading_paused = False
        self._is_upgrading = False
        self._is_woken = False
        self._is_writing_paused = False
        self._saw_eof = False

    # What a session may ask of its peer.

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that the session has not been given yet."""
        return self._unread is not None

    def send(self, data: bytes) -> None:
        """Queue bytes for the peer; see `Peer.send`."""
        if self._is_gone or not data or self.state in (State.CLOSING, State.ENDED):
            return
        if self._to_send is None:
            self._to_send = [data]
            self._owner.loop.call_soon(self._push)
        else:
            self._to_send.append(data)
        self._to_send_bytes += len(data)
        if self._to_send_bytes >= CORK_BYTES:
            self._push()

    async def flush(self) -> None:
        """Wait until the peer has taken enough that more may be queued; see `Peer.flush`."""
        if self._is_writing_paused and not self._is_gone:
            if self._drained is None:
                self._drained = self._owner.loop.create_future()
                self._watch_writing(self._owner.loop.time())
            await asyncio.shield(self._drained)
        if self._is_gone:
            raise PeerGoneError

    def start_compression(self, unused: bytes) -> None:
        """Deflate all that is sent, and inflate all that comes; see `Peer.start_compression`."""
        self._push()
        if self._transport is not None and not self._is_gone:
            came = b"".join((unused, *(self._unread or ())))
            self._drop_unread()
            self._is_reading_paused = False
            self._transport = CompressedTransport(
                self._transport, self, came, is_blocked=self._is_writing_paused, log_fields=self._fields
            )

    def wake(self) -> None:
        """Have `advance` called soon; calls before it runs are one."""
        if self.state is State.IDLE:
            self._start_burst()
        else:
            self._is_woken = True

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport of a connection whose implicit TLS, if any, is in force."""
        self._take_transport(transport)
        if self._task is None:  # accepted by the loop: no opening came before
            client = transport.get_extra_info("peername")
            if client is not None and self._owner.admit(self, client):
                self._start_burst()
            else:
                self._turn_away()

    def data_received(self, data: bytes) -> None:
        """Queue bytes for the session, and have it answer if it does not already."""
        if self._is_gone or self.state in (State.CLOSING, State.ENDED):
            return
        if self._unread is None:
            self._unread = [data]
        else:
            self._unread.append(data)
        self._unread_bytes += len(data)
        if self.state is State.IDLE:
            self._start_burst()
        elif self._unread_bytes >= self._owner.settings.read_queue_bytes and not self._is_upgrading:
            self._pause_reading()

    def eof_received(self) -> bool:
        """Let the session answer what came before the peer's end of file; then close.

        TLS transports end themselves at the peer's close_notify, so there the answer may be lost.
        """
        self._saw_eof = True
        if self.state is State.IDLE:
            self._close()
        return self.tls is None and not self._is_gone

    def pause_writing(self) -> None:
        """Have `flush` wait: the peer does not take what was sent."""
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        """Let `flush` return."""
        self._is_writing_paused = False
        self._release_flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End the session, after its burst if one runs."""
        self._is_gone = True
        self._release_flush()
        if self._task is None:
            self._end()

    # What the listener asks.

    def open(self, opening: Coroutine[None, None, None]) -> None:
        """Run what makes the transport, then let the session greet.

        Where `opening` returns without `connection_made` having been called, the connection is over.
        """
        self._task = self._owner.loop.create_task(self._open(opening))

    def expire(self, now: float) -> None:
        """Do what is due when the deadline has passed."""
        match self.state:
            case State.IDLE if self._session is not None:
                self._owner.counts.timed_out += 1
                self._part(self._session.timed_out)
            case State.BUSY if self._transport is not None and self._has_taken_some():
                self._watch_writing(now)
            case _:
                self._owner.counts.timed_out += 1
                self.abort()

    def dismiss(self) -> None:
        """Say farewell because the server stops; a running burst is let end first."""
        if self.state is State.IDLE and self._session is not None:
            self._part(self._session.shutting_down)

    def abort(self) -> None:
        """Cut the connection off, and its burst too."""
        self.deadline = math.inf
        if self._transport is not None:
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    # Bursts.

    def _start_burst(self) -> None:
        self.state = State.BUSY
        self.deadline = math.inf
        self._task = self._owner.loop.create_task(self._burst())

    async def _open(self, opening: Coroutine[None, None, None]) -> None:
        try:
            await opening
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self._log_crash(error, "connection could not be opened")
        finally:
            if self._transport is None or self._is_gone:
                self._task = None
                self._end()
        if self.state is State.OPENING:
            await self._burst()

    async def _burst(self) -> None:
        """Let the session answer all that came, then leave the connection idle or close it."""
        self.state = State.BUSY
        try:
            if await self._converse():
                self._rest()
            else:
                self._close()
        except PeerGoneError:
            self._close()
        except asyncio.CancelledError:
            self.state = State.CLOSING
            raise
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self._log_crash(error, "session failed")
            self._close()
        finally:
            self._task = None
            if self._is_gone:
                self._end()

    async def _converse(self) -> bool:
        """Run the session until it waits for its peer; False where the connection is to be closed."""
        session = self._session
        if session is None:
            session = self._session = self._owner.service.make_session(self)
        while True:
            self._is_woken = False
            self._give_unread(session)
            verdict = await session.advance()
            if verdict is Verdict.CLOSE:
                return False
            if verdict is Verdict.START_TLS:
                await self._start_tls(session)
                continue
            self._push()
            await self.flush()
            if self._unread is None:
                if not self._is_woken:
                    return not self._saw_eof
                await asyncio.sleep(0)

    def _give_unread(self, session: StreamSession) -> None:
        unread = self._unread
        if unread is None:
            return
        self._drop_unread()
        for data in unread:
            session.receive(data)
        if self._is_reading_paused and self._transport is not None and not self._is_gone:
            self._is_reading_paused = False
            self._transport.resume_reading()

    def _drop_unread(self) -> None:
        self._unread = None
        self._unread_bytes = 0

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._is_reading_paused and not self._transport.is_closing():
            self._is_reading_paused = True
            self._transport.pause_reading()

    def _rest(self) -> None:
        """Leave the connection idle for as long as its session says."""
        session = self._session
        if session is None:
            return
        self.state = State.IDLE
        self.deadline = self._owner.loop.time() + session.idle_seconds
        if self._owner.is_draining:
            self._part(session.shutting_down)

    # TLS.

    async def _start_tls(self, session: StreamSession) -> None:
        """Do a STARTTLS handshake, without anything that was read before it (RFC 3207 §6, CVE-2011-0411)."""
        context = self._owner.service.tls_context
        if context is None or self.tls is not None or self._transport is None:
            raise RuntimeError("a session asked for TLS where there is none to be had")
        self._push()
        if self._is_gone or self._saw_eof:
            raise PeerGoneError
        self._drop_unread()
        self._is_upgrading = True
        try:
            transport = await upgrade(self._owner, self._transport, self, context())
        except OSError as error:
            self.handshake_failed(error)
            raise PeerGoneError from error
        finally:
            self._is_upgrading = False
        if self._take_transport(transport) is None:
            self.handshake_failed(None)
            raise PeerGoneError
        session.tls_started()

    def handshake_failed(self, error: OSError | None) -> None:
        """Cut off a peer that does not manage TLS; None where it went away meanwhile."""
        self._is_gone = True
        if self._transport is not None:
            self._transport.abort()
        self._owner.counts.failed_handshakes += 1
        log.info("TLS handshake failed", extra={"fields": {**self._fields(), "reason": reason_of(error)}})

    def _take_transport(self, transport: asyncio.BaseTransport | None) -> TlsFacts | None:
        if transport is None:
            return None
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=self._owner.settings.write_buffer_bytes)
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None:
            self.tls = facts_of(ssl_object)
        return self.tls

    # Writing.

    def _push(self) -> None:
        """Hand what was sent to the transport, in one piece."""
        pieces = self._to_send
        if pieces is None:
            return
        self._to_send = None
        self._to_send_bytes = 0
        if self._transport is not None and not self._is_gone:
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _watch_writing(self, now: float) -> None:
        if self._transport is not None:
            self._left_to_write = self._transport.get_write_buffer_size()
        self.deadline = now + self._owner.settings.write_seconds

    def _has_taken_some(self) -> bool:
        return self._transport is not None and self._transport.get_write_buffer_size() < self._left_to_write

    def _release_flush(self) -> None:
        waiting = self._drained
        if waiting is not None:
            self._drained = None
            self.deadline = math.inf
            if not waiting.done():
                waiting.set_result(None)

    # The end.

    def _turn_away(self) -> None:
        self.state = State.ENDED
        if self._transport is not None:
            self._transport.write(self._owner.service.too_many)
            self._transport.close()

    def _part(self, farewell: Callable[[], None]) -> None:
        try:
            farewell()
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self._log_crash(error, "farewell failed")
        self._close()

    def _close(self) -> None:
        """Close once everything sent has been taken, or the close time-out has passed."""
        self._push()
        self._drop_unread()
        if self._is_gone or self._transport is None or self.state in (State.CLOSING, State.ENDED):
            return
        self.state = State.CLOSING
        self.deadline = self._owner.loop.time() + self._owner.settings.close_seconds
        self._transport.close()

    def _end(self) -> None:
        """Let go of everything, and tell the session; only the first call does so."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        self.deadline = math.inf
        session, self._session, self._transport = self._session, None, None
        self._drop_unread()
        self._to_send = None
        self._owner.forget(self)
        if session is None:
            return
        try:
            session.ended()
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self._log_crash(error, "session failed to end")

    def _log_crash(self, error: Exception, what: str) -> None:
        self._owner.counts.crashed += 1
        log.error(what, exc_info=error, extra={"fields": self._fields()})

    def _fields(self) -> dict[str, object]:
        return {"listener": self._owner.service.name, "client": str(self.address), "port": self.port}
