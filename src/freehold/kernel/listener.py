"""The stream listener: accepts connections, bounds them, times them out and lets them go.

Accepting is done here and not by the loop's own server, for three reasons: a connection that is one
too many costs no transport; a PROXY header is read off the socket before TLS starts; and when file
descriptors run out, accepting pauses instead of failing over and over.
"""

import asyncio
import logging
import socket
from ipaddress import IPv4Address

from freehold.kernel.accept import address_of, prepare, receive_proxy_header, refuse
from freehold.kernel.connection_owner import Connection
from freehold.kernel.limits import ConnectionLimits, is_within, plain_address
from freehold.kernel.listener_settings import ListenerCounts, ListenerSettings, StreamService
from freehold.kernel.proxy_protocol import ProxyHeaderError
from freehold.kernel.stream_connection import StreamConnection

log = logging.getLogger("freehold.listener")

ACCEPTS_AT_ONCE = 16
"""Connections taken before other work gets its turn, and other processes their share."""
BACKLOG = 4096
UNKNOWN = IPv4Address(0)
"""The address of a connection that the loop has accepted, until it is admitted."""
ABORT_SECONDS = 5.0
"""How long `drain` waits for bursts that were cancelled."""


class Listener:
    """Serves one listening socket with sessions; the socket stays the caller's to close.

    Made, and called, on the running loop. Listeners may share one `limits`; without it each has its
    own, made of its settings.
    """

    def __init__(
        self,
        listening: socket.socket,
        service: StreamService,
        settings: ListenerSettings,
        limits: ConnectionLimits | None = None,
    ) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.service = service
        self.settings = settings
        self.counts = ListenerCounts()
        self.is_draining = False
        self._limits = limits or ConnectionLimits(
            settings.max_connections,
            settings.max_per_network,
            settings.unlimited_networks + settings.proxy_networks,
        )
        self._listening = listening
        self._connections: set[Connection] = set()
        self._is_accepting = False
        self.is_starved = False
        self._refused_lately = 0
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Future[None] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None

    @property
    def open_connections(self) -> int:
        """How many connections are open now, those that are being opened or closed included."""
        return len(self._connections)

    def start_accepting(self) -> None:
        """Begin to take connections."""
        self._listening.settimeout(0)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # what it accepts has it too
        self._is_accepting = True
        if self._loop_accepts:
            self._serving = self.loop.create_task(self._serve())
        else:
            self.loop.add_reader(self._listening, self._accept)
        if self._sweep_timer is None:
            self._sweep_timer = self.loop.call_later(self.settings.sweep_seconds, self._sweep)

    def stop_accepting(self) -> None:
        """Take no more connections; those that are open go on."""
        if self._is_accepting:
            self._is_accepting = False
            if self._loop_accepts:
                self._close_server()
            else:
                self.loop.remove_reader(self._listening)

    async def drain(self, seconds: float) -> None:
        """Stop: say farewell to idle connections, let bursts end, then cut off what is left."""
        self.stop_accepting()
        self.is_draining = True
        for connection in list(self._connections):
            connection.dismiss()
        if not await self._is_empty_within(seconds):
            log.warning("connections cut off", extra={"fields": self._fields(count=len(self._connections))})
            for connection in list(self._connections):
                connection.abort()
            await self._is_empty_within(ABORT_SECONDS)
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None

    def admit(self, connection: Connection, socket_address: tuple[str, int]) -> bool:
        """Count a connection that the loop has accepted, unless there are too many."""
        address, port = address_of(socket_address)
        if not self._limits.admit(address):
            self._count_refusal()
            return False
        connection.address, connection.port = address, port
        self.counts.accepted += 1
        self._connections.add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """Stop counting a connection that has ended."""
        self._connections.discard(connection)
        self._limits.release(connection.address)
        if self._emptied is not None and not self._connections and not self._emptied.done():
            self._emptied.set_result(None)

    @property
    def _loop_accepts(self) -> bool:
        """Whether the loop may accept by itself, at a third of the cost: nothing comes before the session."""
        return not self.settings.proxy_networks and not self.service.implicit_tls

    async def _serve(self) -> None:
        server = await self.loop.create_server(
            lambda: StreamConnection(self, UNKNOWN, 0), sock=self._listening.dup(), backlog=BACKLOG
        )
        self._server = server
        if not self._is_accepting:
            self._close_server()

    def _close_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self) -> None:
        for _ in range(ACCEPTS_AT_ONCE):
            try:
                accepted, socket_address = self._listening.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # it was gone before it was accepted
            except OSError as error:
                self._starve(error)
                return
            self.is_starved = False
            try:
                self._take(accepted, socket_address)
            except OSError:
                accepted.close()  # reset between accept and its socket options

    def _take(self, accepted: socket.socket, socket_address: tuple[str, int]) -> None:
        address, port = address_of(socket_address)
        if not self._limits.admit(address):
            self._refuse(accepted)
            return
        try:
            prepare(accepted)
        except OSError:
            self._limits.release(address)
            raise
        self.counts.accepted += 1
        connection = StreamConnection(self, address, port)
        self._connections.add(connection)
        connection.open(self._open(connection, accepted))

    def _count_refusal(self) -> None:
        self.counts.refused += 1
        self._refused_lately += 1

    def _refuse(self, accepted: socket.socket) -> None:
        self._count_refusal()
        refuse(accepted, b"" if self.service.implicit_tls else self.service.too_many)

    def _starve(self, error: OSError) -> None:
        """Pause accepting until the next sweep; the connections wait in the socket's backlog."""
        self.loop.remove_reader(self._listening)
        if not self.is_starved:
            self.is_starved = True
            log.error("accepting paused", extra={"fields": self._fields(reason=error.strerror)})

    async def _open(self, connection: StreamConnection, accepted: socket.socket) -> None:
        """Give the connection its transport; where that fails the socket is closed and it gets none."""
        settings = self.settings
        if settings.proxy_networks and is_within(connection.address, settings.proxy_networks):
            try:
                is_known = await self._learn_client(connection, accepted)
            except asyncio.CancelledError:
                accepted.close()
                raise
            if not is_known:
                accepted.close()
                return
        context = None
        if self.service.implicit_tls and self.service.tls_context is not None:
            context = self.service.tls_context()
        try:
            await self.loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=context,
                ssl_handshake_timeout=settings.handshake_seconds if context else None,
                ssl_shutdown_timeout=settings.close_seconds if context else None,
            )
        except OSError as error:
            connection.handshake_failed(error)

    async def _learn_client(self, connection: StreamConnection, accepted: socket.socket) -> bool:
        """Put the address that a proxy tells in the place of its own; False where it is of no use."""
        try:
            client = await receive_proxy_header(self.loop, accepted, self.settings.proxy_seconds)
        except (ProxyHeaderError, OSError) as error:
            self.counts.failed_proxy_headers += 1
            fields = self._fields(proxy=str(connection.address), reason=str(error) or type(error).__name__)
            log.warning("PROXY header refused", extra={"fields": fields})
            return False
        if client is None:
            return True
        address = plain_address(client.address)
        if not self._limits.move(connection.address, address):
            self._refuse(accepted)
            return False
        connection.address, connection.port = address, client.port
        return True

    def _sweep(self) -> None:
        """Time out what is due: one timer for all connections; comparing 10,000 takes under a millisecond."""
        now = self.loop.time()
        for connection in [one for one in self._connections if one.deadline <= now]:
            connection.expire(now)
        if self._refused_lately:
            log.warning("connections refused", extra={"fields": self._fields(count=self._refused_lately)})
            self._refused_lately = 0
        if self.is_starved and self._is_accepting:
            self.loop.add_reader(self._listening, self._accept)
        self._sweep_timer = self.loop.call_later(self.settings.sweep_seconds, self._sweep)

    async def _is_empty_within(self, seconds: float) -> bool:
        if not self._connections:
            return True
        self._emptied = self.loop.create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._emptied
        except TimeoutError:
            return False
        return True

    def _fields(self, **fields: object) -> dict[str, object]:
        return {"listener": self.service.name, **fields}
