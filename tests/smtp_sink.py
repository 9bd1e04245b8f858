"""A scripted SMTP server on loopback: it takes mail as any server might, or fails as a test asks."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

DROP = b"\0drop"
"""In place of a reply: the connection is closed."""
SILENCE = b"\0silence"
"""In place of a reply: nothing is ever said."""
PLAIN = ("PIPELINING", "8BITMIME", "SIZE 100000000")
MODERN = (*PLAIN, "CHUNKING", "SMTPUTF8", "ENHANCEDSTATUSCODES")

_DEFAULTS = {
    "GREETING": b"220 sink.test ESMTP\r\n",
    "HELO": b"250 sink.test\r\n",
    "MAIL": b"250 2.1.0 sender ok\r\n",
    "RCPT": b"250 2.1.5 recipient ok\r\n",
    "DATA": b"354 go ahead\r\n",
    "CONTENT": b"",
    ".": b"250 2.0.0 taken\r\n",
    "RSET": b"250 2.0.0 flushed\r\n",
    "STARTTLS": b"220 2.0.0 ready\r\n",
    "QUIT": b"221 2.0.0 bye\r\n",
}


@dataclass(frozen=True)
class Taken:
    """One message that was answered 250, and over which connection it came."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int
    is_encrypted: bool


@dataclass
class Script:
    """How the server behaves.

    `replies` are used up one by one under each verb before the usual one is given; `.` is the end of a
    message, CONTENT its middle (after 1,000 octets). With `keeps_content` off, contents are only counted.
    """

    replies: dict[str, list[bytes]] = field(default_factory=dict)
    always: dict[str, bytes] = field(default_factory=dict)
    extensions: tuple[str, ...] = PLAIN
    tls: ssl.SSLContext | None = None
    keeps_content: bool = True

    def reply(self, verb: str) -> bytes:
        """Return what to say to a verb."""
        waiting = self.replies.get(verb)
        if waiting:
            return waiting.pop(0)
        return self.always.get(verb, _DEFAULTS.get(verb, b"250 2.0.0 ok\r\n"))


class Sink:
    """What the server has seen."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.address = ""
        self.port = 0
        self.connections = 0
        self.open_connections = 0
        self.most_open = 0
        self.commands: list[str] = []
        self.messages: list[Taken] = []
        self.octets = 0
        self._changed = asyncio.Condition()

    async def wait_for(self, count: int) -> None:
        """Return when so many messages have been taken."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: len(self.messages) >= count)

    async def wait_for_command(self, verb: str) -> None:
        """Return when a command has been seen."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: any(line.startswith(verb) for line in self.commands))

    async def note(self) -> None:
        """Wake who waits."""
        async with self._changed:
            self._changed.notify_all()


class _ClosedError(Exception):
    pass


class _Session:
    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sink = sink
        self._reader = reader
        self._writer = writer
        self._number = sink.connections
        self._is_encrypted = False
        self._has_sender = False
        self._sender = ""
        self._recipients: list[str] = []
        self._chunks: list[bytes] = []

    async def run(self) -> None:
        await self._say("GREETING")
        while line := await self._reader.readline():
            text = line.decode().rstrip("\r\n")
            self._sink.commands.append(text)
            await self._sink.note()
            verb = text.partition(" ")[0].upper()
            await self._obey(verb, text)
            if verb == "QUIT":
                return

    async def _obey(self, verb: str, text: str) -> None:
        match verb:
            case "EHLO":
                await self._hello()
            case "MAIL":
                self._recipients = []
                self._has_sender = await self._say(verb)
                self._sender = _path(text)
            case "RCPT":
                await self._recipient(text)
            case "DATA":
                if await self._say("DATA"):
                    await self._finish(await self._content())
            case "BDAT":
                await self._chunk(text)
            case "STARTTLS":
                if await self._say("STARTTLS") and self._sink.script.tls is not None:
                    await self._writer.start_tls(self._sink.script.tls)
                    self._is_encrypted = True
            case _:
                await self._say(verb)

    async def _recipient(self, text: str) -> None:
        if not self._has_sender:
            self._writer.write(b"503 5.5.1 MAIL first\r\n")
        elif await self._say("RCPT"):
            self._recipients.append(_path(text))

    async def _chunk(self, text: str) -> None:
        left = int(text.split()[1])
        while left:
            piece = await self._reader.read(min(left, 1 << 16))
            if not piece:
                raise _ClosedError
            left -= len(piece)
            self._sink.octets += len(piece)
            if self._sink.script.keeps_content:
                self._chunks.append(piece)
        if text.upper().endswith("LAST"):
            content = b"".join(self._chunks)
            self._chunks.clear()
            await self._finish(content)
        else:
            await self._say("BDAT")

    async def _hello(self) -> None:
        script = self._sink.script
        if "EHLO" in script.always or script.replies.get("EHLO"):
            await self._say("EHLO")
            return
        extensions = [each for each in script.extensions if not (self._is_encrypted and each == "STARTTLS")]
        lines = ["sink.test", *extensions]
        self._writer.write(
            b"".join(
                f"250{' ' if number == len(lines) else '-'}{line}\r\n".encode()
                for number, line in enumerate(lines, 1)
            )
        )
        await self._writer.drain()

    async def _content(self) -> bytes:
        kept = bytearray()
        tail = b"\r\n"
        while True:
            line = await self._reader.readline()
            if not line:
                raise _ClosedError
            if line == b".\r\n" and tail == b"\r\n":
                return bytes(kept)
            self._sink.octets += len(line)
            tail = line[-2:]
            if self._sink.script.keeps_content:
                kept += line[1:] if line.startswith(b".") else line
            if self._sink.octets > 1000 and self._sink.script.replies.get("CONTENT"):
                await self._say("CONTENT")
                raise _ClosedError

    async def _finish(self, content: bytes) -> None:
        if self._recipients and await self._say("."):
            taken = Taken(self._sender, tuple(self._recipients), content, self._number, self._is_encrypted)
            self._sink.messages.append(taken)
            await self._sink.note()
        elif not self._recipients:
            self._writer.write(b"554 5.5.1 no recipients\r\n")

    async def _say(self, verb: str) -> bool:
        reply = self._sink.script.reply(verb)
        if reply == SILENCE:
            await self._reader.read()
            raise _ClosedError
        if reply == DROP:
            raise _ClosedError
        self._writer.write(reply)
        await self._writer.drain()
        return reply[:1] in b"23"


def _path(text: str) -> str:
    return text.partition("<")[2].rpartition(">")[0]


@asynccontextmanager
async def smtp_sink(
    script: Script | None = None, *, address: str = "127.0.0.2", port: int = 0
) -> AsyncIterator[Sink]:
    """Serve a script on a loopback address; `port` 0 takes a free one."""
    sink = Sink(script or Script())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sink.connections += 1
        sink.open_connections += 1
        sink.most_open = max(sink.most_open, sink.open_connections)
        try:
            with suppress(OSError, _ClosedError, asyncio.IncompleteReadError):
                await _Session(sink, reader, writer).run()
        finally:
            sink.open_connections -= 1
            writer.close()
            await sink.note()

    server = await asyncio.start_server(serve, address, port, limit=1 << 20)
    sink.address, sink.port = server.sockets[0].getsockname()[:2]
    try:
        yield sink
    finally:
        server.close()
