"""A load generator for SMTP: many connections of one process, each a small state machine on epoll.

It is frugal, since it shares the machine with the server that it measures, and it speaks as strangers
do: no pipelining, each command waits for its reply.
"""

import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

WRITABLE = select.EPOLLIN | select.EPOLLOUT
READ_BYTES = 65_536
SILENCE_SECONDS = 60.0
GREETING, HELLO, MAIL, RCPT, DATA, CONTENT, QUIT = range(7)
EXPECTED = (b"220", b"250", b"250", b"250", b"354", b"250", b"221")
LINE = b"invoice meeting project quarter delivery server mailbox report update\r\n"


class ServerGoneError(RuntimeError):
    """The server takes no connection: a measurement has no sense any more."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `messages` of `size_bytes` over `connections` at once, to `recipients` by turns.

    `per_connection` messages are sent over each connection before the next one is opened.
    """

    port: int
    messages: int
    connections: int
    size_bytes: int
    recipients: Sequence[str]
    per_connection: int = 1


@dataclass(slots=True)
class Sent:
    """What came of a load; times in seconds, each latency from connecting or MAIL to the last 250."""

    accepted: int = 0
    failed: int = 0
    started: float = 0.0
    ended: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def compose(number: int, recipient: str, size_bytes: int) -> bytes:
    """Return a message of that size."""
    head = (
        b"From: Bench Sender <sender@example.test>\r\nTo: %b\r\nSubject: bench message %d\r\n"
        b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d.%d@example.test>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ) % (recipient.encode(), number, number, time.time_ns())
    room = max(size_bytes - len(head) - 2, 0)
    return head + (LINE * (room // len(LINE) + 1))[:room].rstrip(b"\r\n").ljust(room, b".") + b"\r\n"


def send(load: Load, first: int = 0) -> Sent:
    """Send a load from this process and return what came of it; messages count from `first`."""
    sent, numbers = Sent(), iter(range(first, first + load.messages))
    cpu_before = time.process_time()
    sent.started = time.monotonic()
    with select.epoll() as poller:
        open_ones = {
            client.start(): client
            for client in (_Client(load, numbers, poller, sent) for _ in range(load.connections))
        }
        open_ones.pop(-1, None)
        while open_ones:
            ready = poller.poll(SILENCE_SECONDS)
            if not ready:
                raise TimeoutError(f"the server said nothing for {SILENCE_SECONDS:.0f} s")
            for descriptor, events in ready:
                client = open_ones.pop(descriptor)
                following = client.go_on(events)
                if following >= 0:
                    open_ones[following] = client
    sent.ended = time.monotonic()
    sent.cpu_seconds = time.process_time() - cpu_before
    return sent


class _Client:
    """One connection after the other."""

    def __init__(self, load: Load, numbers: Iterator[int], poller: select.epoll, sent: Sent) -> None:
        self._load = load
        self._numbers = numbers
        self._poller = poller
        self._sent = sent
        self._began = 0.0
        self._done = 0
        self._step = GREETING
        self._number = 0
        self._recipient = ""
        self._read = b""
        self._unsent = memoryview(b"")
        self._is_blocked = False

    def start(self) -> int:
        """Connect for the next message; returns the descriptor to wait for, -1 when none is left."""
        number = next(self._numbers, None)
        if number is None:
            return -1
        self._take(number)
        self._done, self._step, self._read = 0, GREETING, b""
        self._unsent, self._is_blocked = memoryview(b""), False
        try:
            self._socket = socket.create_connection(("127.0.0.1", self._load.port), SILENCE_SECONDS)
        except OSError as error:
            raise ServerGoneError(f"cannot connect to port {self._load.port}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(0)
        self._poller.register(self._socket, select.EPOLLIN)
        return self._socket.fileno()

    def go_on(self, events: int) -> int:
        """Read and write what can be; returns the descriptor to wait for, -1 at the end."""
        try:
            if events & select.EPOLLOUT:
                self._flush()
            if events & ~select.EPOLLOUT:
                data = self._socket.recv(READ_BYTES)
                if not data:
                    return self._fail("the server closed the connection")
                self._read += data
                return self._answer()
        except OSError as error:
            return self._fail(str(error))
        return self._socket.fileno()

    def _take(self, number: int) -> None:
        self._number, self._began = number, time.monotonic()
        self._recipient = self._load.recipients[number % len(self._load.recipients)]

    def _answer(self) -> int:
        """Act on a whole reply (RFC 5321 §4.2.1: the last line has a blank after its code)."""
        last = self._read[self._read.rfind(b"\n", 0, -1) + 1 :]
        if not last.endswith(b"\n") or last[3:4] == b"-":
            return self._socket.fileno()
        self._read = b""
        if not last.startswith(EXPECTED[self._step]):
            return self._fail(last.decode(errors="replace").strip())
        if self._step == CONTENT:
            self._accepted()
        elif self._step == QUIT:
            return self._reconnect()
        else:
            self._step += 1
        self._write(self._words())
        return self._socket.fileno()

    def _accepted(self) -> None:
        self._sent.accepted += 1
        self._sent.latencies.append(time.monotonic() - self._began)
        self._done += 1
        number = next(self._numbers, None) if self._done < self._load.per_connection else None
        if number is None:
            self._step = QUIT
            return
        self._take(number)
        self._step = MAIL

    def _words(self) -> bytes:
        """Return what is said in the present step."""
        if self._step == CONTENT:
            return compose(self._number, self._recipient, self._load.size_bytes) + b".\r\n"
        if self._step == RCPT:
            return f"RCPT TO:<{self._recipient}>\r\n".encode()
        return {
            HELLO: b"EHLO client.example.test\r\n",
            MAIL: b"MAIL FROM:<sender@example.test>\r\n",
            DATA: b"DATA\r\n",
            QUIT: b"QUIT\r\n",
        }[self._step]

    def _write(self, data: bytes) -> None:
        self._unsent = memoryview(data)
        self._flush()

    def _flush(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        if bool(self._unsent) is not self._is_blocked:
            self._is_blocked = not self._is_blocked
            self._poller.modify(self._socket, WRITABLE if self._is_blocked else select.EPOLLIN)

    def _reconnect(self) -> int:
        self._poller.unregister(self._socket)
        self._socket.close()
        return self.start()

    def _fail(self, why: str) -> int:
        """Count the message as failed and go on with the next one; a dropped QUIT is no failure."""
        if self._step != QUIT:
            self._sent.failed += 1
            self._sent.failures.append(why)
        return self._reconnect()


def shares(load: Load, processes: int) -> Iterator[tuple[Load, int]]:
    """Split a load for several processes; each share comes with the number of its first message."""
    first = 0
    for index in range(processes):
        messages = (load.messages + index) // processes
        connections = max((load.connections + index) // processes, 1)
        yield replace(load, messages=messages, connections=connections), first
        first += messages
