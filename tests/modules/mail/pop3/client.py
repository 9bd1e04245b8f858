"""A client of POP3 that sends literal bytes and gives back literal bytes; every wait has a time-out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from freehold.kernel.stream import SessionFactory
from freehold.modules.mail.pop3.context import make_context
from freehold.modules.mail.pop3.session import make_factory
from freehold.modules.mail.pop3.settings import Pop3Settings
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.talk import WAIT_SECONDS, Talk, connected


def pop3(
    host: MailHost, settings: Pop3Settings | None = None, *, has_starttls: bool = False
) -> SessionFactory:
    """Return the sessions of a host."""
    context = make_context(host.runtime, host.authenticator, settings or Pop3Settings())
    return make_factory(context, has_starttls=has_starttls)


@asynccontextmanager
async def serving(host: MailHost) -> AsyncIterator[int]:
    """Serve a host on a free port, in plain text; what its sessions leave to be written is written."""
    context = make_context(host.runtime, host.authenticator, Pop3Settings())
    async with host.listening(make_factory(context, has_starttls=False), tls=False) as port:
        yield port
    await context.late_writes.close()


class Pop3Talk(Talk):
    """One connection."""

    async def line(self) -> bytes:
        """Return one line with its end."""
        return await asyncio.wait_for(self.reader.readline(), WAIT_SECONDS)

    async def ask(self, command: bytes) -> bytes:
        """Send a command; returns the first line of its answer, without its end."""
        self.send(command + b"\r\n")
        return (await self.line()).removesuffix(b"\r\n")

    async def lines(self) -> bytes:
        """Return what follows the first line of an answer, up to the dot, as it is on the wire."""
        body = await asyncio.wait_for(self.reader.readuntil(b".\r\n"), WAIT_SECONDS)
        while body != b".\r\n" and not body.endswith(b"\r\n.\r\n"):
            body += await asyncio.wait_for(self.reader.readuntil(b".\r\n"), WAIT_SECONDS)
        return body.removesuffix(b".\r\n")

    async def ask_lines(self, command: bytes) -> bytes:
        """Send a command that must succeed; returns the lines of its answer."""
        answer = await self.ask(command)
        assert answer.startswith(b"+OK"), answer
        return await self.lines()

    async def retrieve(self, number: int) -> bytes:
        """Return a message without dot-stuffing."""
        return (b"\r\n" + await self.ask_lines(b"RETR %d" % number)).replace(b"\r\n..", b"\r\n.")[2:]

    async def log_in(self, who: bytes = b"ann@example.test") -> None:
        assert await self.ask(b"USER " + who) == b"+OK Now the password"
        answer = await self.ask(b"PASS " + PASSWORD.encode())
        assert answer.startswith(b"+OK Logged in"), answer

    async def quit(self) -> None:
        assert await self.ask(b"QUIT") == b"+OK Goodbye"
        assert await self.rest() == b""


@asynccontextmanager
async def stranger(port: int) -> AsyncIterator[Pop3Talk]:
    """Connect, and take the greeting."""
    async with connected(port, Pop3Talk, limit=1 << 20) as talk:
        assert await talk.line() == b"+OK mail.example.test ready\r\n"
        yield talk


@asynccontextmanager
async def member(port: int, who: bytes = b"ann@example.test") -> AsyncIterator[Pop3Talk]:
    """Connect and log in."""
    async with stranger(port) as talk:
        await talk.log_in(who)
        yield talk
