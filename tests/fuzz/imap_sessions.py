"""Talks to real IMAP sessions at random: always an answer that can be read, never an internal error.

By hand, for as long as wanted: `python -m tests.fuzz.imap_sessions SECONDS [FIRST_SEED]`.
"""

import asyncio
import random
import re

from freehold.kernel.stream import StreamSession, Verdict
from freehold.protocols.imap.sequence_set import SequenceSet
from tests.fuzz.imap_commands import Commands
from tests.fuzz.in_process import Peer, converse_for_long
from tests.fuzz.response_reader import Value, read_responses
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.imap.client import imap

_LITERAL = re.compile(rb"\{\d+(\+?)\}\Z")
_COUNT = re.compile(rb"[0-9]+")


class Talker:
    """One session, what was asked of it, and how many messages it says that there are."""

    def __init__(self, host: MailHost, chance: random.Random, who: bytes) -> None:
        self.peer = Peer()
        self.session: StreamSession = imap(host)(self.peer)
        self.chance = chance
        self.who = who
        self.count = 0
        self._tags = 0
        self._heard: list[tuple[Value, ...]] = []
        self._is_told = True
        """Whether it never asked not to be told of the open folder (RFC 5465 §3.1)."""

    async def begin(self) -> None:
        """Take the greeting, log in and open a folder."""
        await self._advance()
        for command in (b"LOGIN " + self.who + b" " + PASSWORD.encode(), b"CREATE a", b"SELECT INBOX"):
            assert await self.ask(command)

    async def ask(self, command: bytes) -> bool:
        """Send a command in up to three pieces and read its answers; False says that the session is over."""
        self._tags += 1
        tag = b"t%d" % self._tags
        data = tag + b" " + command + b"\r\n"
        self._heard = []
        self._is_told &= not command.startswith(b"NOTIFY") or b"selected" in command
        cuts = sorted(self.chance.randrange(len(data) + 1) for _ in range(2))
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            self.session.receive(data[start:end])
            if not await self._advance():
                return False
        literal = _LITERAL.search(command)
        if self._has_answered(tag):
            return True
        if literal is not None:  # damaged; what it announces is never sent
            self.session.ended()
            return False
        assert any(heard[0] == b"+" for heard in self._heard), (command, self._heard)
        self.session.receive(b"DONE\r\n")
        assert await self._advance()
        assert self._has_answered(tag), (command, self._heard)
        return True

    async def news(self) -> None:
        """Let the session tell what it was woken for."""
        if self.peer.is_woken:
            self.peer.is_woken = False
            await self._advance()

    def _has_answered(self, tag: bytes) -> bool:
        return any(heard[0] == tag for heard in self._heard)

    async def _advance(self) -> bool:
        verdict = await self.session.advance()
        sent = self.peer.taken()
        heard = read_responses(sent, utf8=True)
        for each in heard:
            self._count(each)
        self._heard += heard
        if verdict is Verdict.CLOSE:
            assert b"* BYE " in sent, sent
            self.session.ended()
        return verdict is not Verdict.CLOSE

    def _count(self, heard: tuple[Value, ...]) -> None:
        """Check that numbers are those of messages that were told to be there (RFC 9051 §7.4.1)."""
        number, word = heard[0], heard[1] if len(heard) > 1 else b""
        if number == b"VANISHED" and isinstance(word, bytes):
            self.count -= sum(high - low + 1 for low, high in SequenceSet.parse(word).ranges)
            assert self.count >= 0
        if not isinstance(number, bytes) or _COUNT.fullmatch(number) is None:
            return
        if word == b"EXISTS":
            self.count = int(number)
        elif word in {b"EXPUNGE", b"FETCH"}:
            assert 0 < int(number) <= self.count, heard
            self.count -= word == b"EXPUNGE"

    async def check_count(self) -> bool:
        """Check that the open folder holds as many messages as was told; returns as `ask`."""
        if not await self.ask(b"NOOP") or not await self.ask(b"UID SEARCH RETURN (COUNT) ALL"):
            return False
        for heard in self._heard:
            if heard[0] == b"ESEARCH" and self._is_told:
                assert heard[-2:] == (b"COUNT", b"%d" % self.count), (heard, self.count)
        return True


async def converse(host: MailHost, seed: int, commands: int) -> None:
    """Have three sessions of two people say so many commands; those that end are followed by new ones."""
    chance = random.Random(seed)
    source = Commands(chance)
    people = (b"ann@example.test", b"ann@example.test", b"bob@example.test")
    talkers: list[Talker | None] = [None, None, None]
    for _ in range(commands):
        place = chance.randrange(3)
        talker = talkers[place]
        if talker is None:
            talker = talkers[place] = Talker(host, chance, people[place])
            await talker.begin()
        await talker.news()
        is_checked = chance.randrange(20) == 0
        if not await (talker.check_count() if is_checked else talker.ask(source.next())):
            talkers[place] = None
    for talker in talkers:
        if talker is not None:
            talker.session.ended()


if __name__ == "__main__":
    asyncio.run(converse_for_long(converse))
