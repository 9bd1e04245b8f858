"""Small clients of SMTP, LMTP and IMAP that say exactly what a scenario wants, and read every octet."""

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

ANSWER_SECONDS = 90.0
"""How long any answer may take before a scenario gives up; nothing is measured by it."""
READ_AHEAD_BYTES = 1 << 20

_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
_FETCHED = re.compile(rb"^\* (\d+) FETCH \(.*?UID (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class PeerClosedError(ConnectionError):
    """The server closed the connection before it had answered."""


class RefusedError(Exception):
    """The server answered, but not with what was needed to go on; `code` is SMTP's, or 0."""

    def __init__(self, code: int, text: bytes) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class Wire:
    """One connection: lines and counted octets, with a time-out on every wait."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send octets."""
        self._writer.write(data)
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._writer.drain()

    def offer(self, data: bytes) -> None:
        """Send octets for as long as the server takes them, without waiting."""
        self._writer.write(data)

    async def line(self) -> bytes:
        """Return the next line with its end."""
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise PeerClosedError(line)
        return line

    async def octets(self, count: int) -> bytes:
        """Return exactly so many octets."""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                return await self._reader.readexactly(count)
            except asyncio.IncompleteReadError as error:
                raise PeerClosedError from error

    async def rest(self, most: int = READ_AHEAD_BYTES) -> bytes:
        """Return what still comes until the server closes; a reset ends it too."""
        received = b""
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                while len(received) < most and (data := await self._reader.read(65536)):
                    received += data
            except (ConnectionError, ssl.SSLError):
                return received
        return received

    def end(self) -> None:
        """Say that no more octets will be sent."""
        self._writer.write_eof()

    async def reply(self) -> tuple[int, bytes]:
        """Return an SMTP reply: its code and its last line's text."""
        while True:
            line = await self.line()
            if line[3:4] != b"-":
                return int(line[:3]), line[4:].strip()

    async def ask(self, command: bytes, expected: int = 250) -> bytes:
        """Send an SMTP command and return the text of its reply; raises RefusedError for any other code."""
        await self.send(command + b"\r\n")
        code, text = await self.reply()
        if code != expected:
            raise RefusedError(code, text)
        return text

    async def run(self, tag: bytes, command: bytes) -> list[bytes]:
        """Send an IMAP command and return its untagged lines; raises RefusedError unless it was OK."""
        await self.send(tag + b" " + command + b"\r\n")
        return await self.until_tagged(tag)

    async def until_tagged(self, tag: bytes) -> list[bytes]:
        """Return what comes before a tagged OK."""
        lines = []
        while not (line := await self.line()).startswith(tag + b" "):
            lines.append(line)
        if not line.startswith(tag + b" OK"):
            raise RefusedError(0, line.strip())
        return lines


@asynccontextmanager
async def connected(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Open a connection to the server, and leave nothing of it behind."""
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, limit=READ_AHEAD_BYTES)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


async def greet(wire: Wire, *, lmtp: bool = False, login: str = "", password: str = "") -> None:
    """Read the greeting, say hello, and log in if asked to."""
    code, text = await wire.reply()
    if code != 220:
        raise RefusedError(code, text)
    await wire.ask(b"LHLO load.example" if lmtp else b"EHLO load.example")
    if login:
        plain = base64.b64encode(f"\0{login}\0{password}".encode())
        await wire.ask(b"AUTH PLAIN " + plain, 235)


async def deliver(
    wire: Wire,
    sender: str,
    recipients: Sequence[str],
    message: bytes,
    *,
    bdat: bool = False,
    lmtp: bool = False,
) -> list[int]:
    """Send one message and return the final codes: one, or with LMTP one for each recipient.

    Raises:
        RefusedError: something before the end of the message was refused.
        ConnectionError: the server went away; whether it took the message is not known.
    """
    await wire.ask(b"MAIL FROM:<%b>" % sender.encode())
    for recipient in recipients:
        await wire.ask(b"RCPT TO:<%b>" % recipient.encode())
    if bdat:
        half = len(message) // 2
        await wire.send(b"BDAT %d\r\n%b" % (half, message[:half]))
        code, text = await wire.reply()
        if code != 250:
            raise RefusedError(code, text)
        await wire.send(b"BDAT %d LAST\r\n%b" % (len(message) - half, message[half:]))
    else:
        await wire.ask(b"DATA", 354)
        stuffed = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
        await wire.send(stuffed + b".\r\n")
    return [(await wire.reply())[0] for _ in (recipients if lmtp else recipients[:1])]


async def log_in(wire: Wire, login: str, password: str) -> None:
    """Read an IMAP greeting and log in."""
    greeting = await wire.line()
    if not greeting.startswith(b"* OK"):
        raise RefusedError(0, greeting.strip())
    await wire.run(b"l", f'LOGIN "{login}" "{password}"'.encode())


async def append(wire: Wire, folder: str, message: bytes, flags: str = "") -> None:
    """Store one message with a synchronising literal."""
    await wire.send(f"a APPEND {folder} ({flags}) {{{len(message)}}}\r\n".encode())
    while not (line := await wire.line()).startswith(b"+"):
        if line.startswith(b"a "):
            raise RefusedError(0, line.strip())
    await wire.send(message + b"\r\n")
    await wire.until_tagged(b"a")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message as IMAP gives it."""

    number: int
    uid: int
    size: int
    flags: bytes
    content: bytes


async def fetch(wire: Wire, messages: bytes) -> AsyncIterator[Fetched]:
    """Yield the messages of a sequence set, each whole, in the order in which they come."""
    await wire.send(b"f FETCH %b (UID FLAGS RFC822.SIZE BODY.PEEK[])\r\n" % messages)
    while not (line := await wire.line()).startswith(b"f "):
        content = b""
        while found := _LITERAL.search(line):
            content = await wire.octets(int(found[1]))
            line = line[: found.start()] + await wire.line()
        head, flags, size = _FETCHED.match(line), _FLAGS.search(line), _SIZE.search(line)
        if head and flags and size:
            yield Fetched(int(head[1]), int(head[2]), int(size[1]), flags[1], content)
    if not line.startswith(b"f OK"):
        raise RefusedError(0, line.strip())


async def status(wire: Wire, folder: str) -> dict[str, int]:
    """Return the counters of a folder by name."""
    lines = await wire.run(b"s", f"STATUS {folder} (MESSAGES UNSEEN SIZE UIDNEXT UIDVALIDITY)".encode())
    words = lines[-1][lines[-1].index(b"(") + 1 : lines[-1].rindex(b")")].decode().split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))
