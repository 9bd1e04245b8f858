"""A small line protocol on a real listener, for the listener's tests."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from freehold.certificates.contexts import client_context, server_context
from freehold.certificates.self_signed import write_self_signed
from freehold.kernel.clock import SystemClock
from freehold.kernel.listener import Listener
from freehold.kernel.listener_settings import ListenerSettings, StreamService
from freehold.kernel.stream import Peer, Verdict


@dataclass
class Happenings:
    """What the sessions of a server have lived through, and what steers them."""

    sessions: list["LineSession"] = field(default_factory=list)
    ended: int = 0
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    all_ended: asyncio.Event = field(default_factory=asyncio.Event)
    idle_seconds: float = 60.0


class LineSession:
    """Answers each line with itself in brackets; some words do more."""

    def __init__(self, peer: Peer, happenings: Happenings) -> None:
        self.peer = peer
        self.happenings = happenings
        self.buffer = b""
        self.greeted = False
        self.is_advancing = False
        self.advances = 0
        self.lines: list[bytes] = []
        happenings.sessions.append(self)

    @property
    def idle_seconds(self) -> float:
        return self.happenings.idle_seconds

    def receive(self, data: bytes) -> None:
        assert not self.is_advancing
        self.buffer += data

    async def advance(self) -> Verdict:
        assert not self.is_advancing
        self.is_advancing = True
        self.advances += 1
        try:
            return await self._answer()
        finally:
            self.is_advancing = False

    async def _answer(self) -> Verdict:
        if not self.greeted:
            self.greeted = True
            self.peer.send(b"hello\n")
        while b"\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\n")
            self.lines.append(line)
            verdict = await self._answer_line(line.rstrip(b"\r"))
            if verdict is not Verdict.READ:
                return verdict
        return Verdict.READ

    async def _answer_line(self, line: bytes) -> Verdict:
        match line:
            case b"QUIT":
                self.peer.send(b"bye\n")
                return Verdict.CLOSE
            case b"STARTTLS":
                self.peer.send(b"go ahead\n")
                return Verdict.START_TLS
            case b"COMPRESS":
                self.peer.send(b"compressed\n")
                unused, self.buffer = self.buffer, b""
                self.peer.start_compression(unused)
            case b"CRASH":
                raise ZeroDivisionError
            case b"WAIT":
                self.happenings.waiting.set()
                await self.happenings.may_go_on.wait()
                self.peer.send(b"waited\n")
            case b"FLOOD":
                while True:
                    self.peer.send(b"x" * 65536)
                    await self.peer.flush()
            case b"WHO":
                self.peer.send(f"{self.peer.address} {self.peer.port} {self.peer.tls}\n".encode())
            case _:
                self.peer.send(b"[" + line + b"]\n")
        return Verdict.READ

    def tls_started(self) -> None:
        self.buffer = b""
        self.lines.clear()

    def timed_out(self) -> None:
        self.peer.send(b"too slow\n")

    def shutting_down(self) -> None:
        self.peer.send(b"shutting down\n")

    def ended(self) -> None:
        assert not self.is_advancing
        self.happenings.ended += 1
        if self.happenings.ended >= len(self.happenings.sessions):
            self.happenings.all_ended.set()


@dataclass
class LineServer:
    """A listener under test, and where it listens."""

    listener: Listener
    happenings: Happenings
    port: int

    async def connect(
        self, context: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = "mail.example" if context else None
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=name)

    def connect_plainly(self) -> socket.socket:
        """Return a connected non-blocking socket of our own, without a transport that reads ahead."""
        client = socket.create_connection(("127.0.0.1", self.port))
        client.settimeout(0)
        return client


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds; the test's time-out bounds it."""
    while not condition():  # noqa: ASYNC110 - what is awaited has no event of its own
        await asyncio.sleep(0.001)


def self_signed_context(folder: Path, hostname: str = "mail.example") -> ssl.SSLContext:
    """Return a server's context with a fresh certificate."""
    path = folder / f"{hostname}.pem"
    write_self_signed(hostname, path, SystemClock().now_ms())
    return server_context(path, path)


@asynccontextmanager
async def line_server(
    settings: ListenerSettings | None = None,
    *,
    context: Callable[[], ssl.SSLContext] | None = None,
    implicit_tls: bool = False,
    make_session: Callable[[Peer, Happenings], LineSession] = LineSession,
) -> AsyncIterator[LineServer]:
    """Serve lines on a free port of loopback."""
    happenings = Happenings()
    service = StreamService(
        name="lines",
        make_session=lambda peer: make_session(peer, happenings),
        tls_context=context,
        implicit_tls=implicit_tls,
        too_many=b"too many\n",
    )
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    with closing(listening):
        listener = Listener(listening, service, settings or ListenerSettings(sweep_seconds=0.05))
        listener.start_accepting()
        try:
            yield LineServer(listener, happenings, listening.getsockname()[1])
        finally:
            happenings.may_go_on.set()
            await listener.drain(0)


TRUSTING = client_context(verify=False)
