"""A client of IMAP that sends literal bytes and gives back literal bytes; every wait has a time-out."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from freehold.kernel.stream import SessionFactory
from freehold.modules.mail.imap.factory import make_factory
from freehold.modules.mail.imap.settings import ImapSettings
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.talk import WAIT_SECONDS, Talk, connected

_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n\Z")


def imap(
    host: MailHost, settings: ImapSettings | None = None, *, has_starttls: bool = False
) -> SessionFactory:
    """Return the sessions of a host."""
    return make_factory(
        host.runtime, host.authenticator, settings or ImapSettings(), has_starttls=has_starttls
    )


class ImapTalk(Talk):
    """One connection."""

    async def line(self) -> bytes:
        """Return one response, with the literals in it and without its line end."""
        response = b""
        while True:
            response += await asyncio.wait_for(self.reader.readline(), WAIT_SECONDS)
            literal = _LITERAL.search(response)
            if literal is None:
                return response.removesuffix(b"\r\n")
            response += await asyncio.wait_for(self.reader.readexactly(int(literal[1])), WAIT_SECONDS)

    async def replies(self, tag: bytes = b"a") -> list[bytes]:
        """Return all responses up to the tagged one, or to a continuation request."""
        lines = [await self.line()]
        while lines[-1] and not lines[-1].startswith((tag + b" ", b"+ ")):
            lines.append(await self.line())
        return lines

    async def ask(self, command: bytes) -> list[bytes]:
        """Send a command with the tag `a`; returns its responses."""
        self.send(b"a " + command + b"\r\n")
        return await self.replies()

    async def done(self, command: bytes) -> list[bytes]:
        """Send a command that must succeed; returns its untagged responses."""
        lines = await self.ask(command)
        assert lines[-1].startswith(b"a OK"), lines
        return lines[:-1]

    async def refused(self, command: bytes) -> bytes:
        """Send a command that must fail; returns its tagged reply without the tag."""
        lines = await self.ask(command)
        assert lines[-1].startswith((b"a NO", b"a BAD")), lines
        return lines[-1][2:]

    async def log_in(self, who: bytes = b"ann@example.test") -> None:
        await self.done(b"LOGIN " + who + b" " + PASSWORD.encode())

    async def append(self, mailbox: bytes, message: bytes, arguments: bytes = b"") -> bytes:
        """Append a message, as literal8 if it needs that; returns the tagged reply."""
        literal = (b"~{%d+}\r\n" if 0 in message else b"{%d+}\r\n") % len(message)
        self.send(b"a APPEND " + mailbox + b" " + arguments + literal + message + b"\r\n")
        return (await self.replies())[-1]


@asynccontextmanager
async def stranger(port: int) -> AsyncIterator[ImapTalk]:
    """Connect, and take the greeting."""
    async with connected(port, ImapTalk, limit=1 << 18) as talk:
        assert (await talk.line()).startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        yield talk


@asynccontextmanager
async def member(port: int, who: bytes = b"ann@example.test", select: bytes = b"") -> AsyncIterator[ImapTalk]:
    """Connect and log in, and perhaps select a folder."""
    async with stranger(port) as talk:
        await talk.log_in(who)
        if select:
            await talk.done(b"SELECT " + select)
        yield talk
