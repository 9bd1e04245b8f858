"""Talks to real POP3 sessions at random, while IMAP changes the mailbox: each answer is well formed.

By hand, for as long as wanted: `python -m tests.fuzz.pop3_sessions SECONDS [FIRST_SEED]`.
"""

import asyncio
import random
import re

from freehold.kernel.stream import StreamSession, Verdict
from freehold.modules.mail.pop3.context import Pop3Context, make_context
from freehold.modules.mail.pop3.session import make_factory
from freehold.modules.mail.pop3.settings import Pop3Settings
from tests.fuzz.imap_sessions import Talker
from tests.fuzz.in_process import Peer, converse_for_long
from tests.mail_host import PASSWORD, MailHost

ANN = b"ann@example.test"
COMMANDS = (
    b"STAT", b"LIST", b"UIDL", b"LIST 1", b"UIDL 2", b"RETR 1", b"RETR 2", b"RETR 9", b"TOP 1 0", b"TOP 2 3",
    b"TOP 1",
    b"DELE 1", b"DELE 2", b"DELE 3", b"DELE 99", b"RSET", b"NOOP", b"CAPA", b"QUIT",
    b"LAST", b"XYZ", b"", b"RETR",
    b"RETR 0", b"RETR -1", b"DELE 1 2", b"LIST x", b"USER x", b"PASS x", b"AUTH", b"AUTH PLAIN AAAA", b"STLS",
    b"UTF8", b"LANG", b"NOOP x", b"retr 1", b"RETR 99999999999999999999", b"\xff\x00", b"TOP 1 4294967296",
)  # fmt: skip
CHANGES = (
    b"APPEND INBOX {8+}\r\nx\r\n.\r\ny\n",
    b"APPEND INBOX {9+}\r\na:\r\n\r\n..z",
    b"STORE 1 +FLAGS (\\Deleted)",
    b"EXPUNGE",
    b"NOOP",
)
_MULTILINE = re.compile(rb"LIST|UIDL|CAPA|AUTH|LANG|RETR [0-9]+|TOP [0-9]+ [0-9]+", re.IGNORECASE)
_STAT = re.compile(rb"\+OK ([0-9]+) ([0-9]+)\r\n")


class Reader:
    """One POP3 session of ann's."""

    def __init__(self, context: Pop3Context, chance: random.Random) -> None:
        self.peer = Peer()
        self.session: StreamSession = make_factory(context, has_starttls=False)(self.peer)
        self.chance = chance
        self.count = -1
        """Messages at login, if STAT was the first thing asked."""

    async def begin(self) -> None:
        """Take the greeting, log in and count."""
        await self.session.advance()
        for command in (b"USER " + ANN, b"PASS " + PASSWORD.encode()):
            assert await self.ask(command)
        self.peer.taken()
        assert await self.ask(b"STAT")

    async def ask(self, command: bytes) -> bool:
        """Send a command in two pieces and check its answer; False says that the session is over."""
        self.peer.taken()
        data = command + b"\r\n"
        cut = self.chance.randrange(len(data) + 1)
        verdict = Verdict.READ
        for piece in (data[:cut], data[cut:]):
            if verdict is not Verdict.CLOSE:
                self.session.receive(piece)
                verdict = await self.session.advance()
        answer = self.peer.taken()
        if answer.startswith(b"+OK") and _MULTILINE.fullmatch(command):
            assert answer.endswith(b"\r\n.\r\n"), (command, answer)
            assert b"\r\n.\r\n" not in answer[:-2], (command, answer)
        else:
            assert re.fullmatch(rb"(?:\+OK|-ERR)[^\r\n\x00]*\r\n", answer), (command, answer)
        if command == b"STAT":
            self._check_count(answer)
        if verdict is Verdict.CLOSE:
            self.session.ended()
        return verdict is not Verdict.CLOSE

    def _check_count(self, answer: bytes) -> None:
        """Check that there is never more than at login, whatever comes (RFC 1939 §5)."""
        found = _STAT.fullmatch(answer)
        assert found is not None, answer
        self.count = int(found[1]) if self.count < 0 else self.count
        assert int(found[1]) <= self.count


async def converse(host: MailHost, seed: int, commands: int) -> None:
    """Have two sessions of ann's say so many commands while a third one changes her mailbox by IMAP."""
    chance = random.Random(seed)
    context = make_context(host.runtime, host.authenticator, Pop3Settings())
    readers: list[Reader | None] = [None, None]
    changer = Talker(host, chance, ANN)
    await changer.begin()
    for _ in range(commands):
        if chance.randrange(5) == 0:
            await changer.ask(chance.choice(CHANGES))
            continue
        place = chance.randrange(2)
        reader = readers[place]
        if reader is None:
            reader = readers[place] = Reader(context, chance)
            await reader.begin()
        elif not await reader.ask(chance.choice(COMMANDS)):
            readers[place] = None
    for reader in readers:
        if reader is not None:
            reader.session.ended()
    changer.session.ended()
    await context.late_writes.close()


if __name__ == "__main__":
    asyncio.run(converse_for_long(converse))
