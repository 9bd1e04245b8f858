"""Sessions that change one folder at random all end with the view that a fresh session gets."""

import random
import re

import pytest

from tests.modules.mail.imap.client import ImapTalk, member
from tests.modules.mail.imap.test_compress import compress

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
_EXISTS = re.compile(rb"\* (\d+) EXISTS")
_EXPUNGE = re.compile(rb"\* (\d+) EXPUNGE")
_FLAGS = re.compile(rb"\* (\d+) FETCH \((?:UID (\d+) )?FLAGS \(([^)]*)\)")


class Follower:
    """Knows of a folder only what its session is told: flags by message number.

    With `rev2` it has enabled IMAP4rev2: nothing is recent, and flags come with the UID.
    """

    def __init__(self, talk: ImapTalk, *, rev2: bool = False) -> None:
        self.talk = talk
        self.rev2 = rev2
        self.flags: list[frozenset[bytes] | None] = []

    async def ask(self, command: bytes) -> None:
        for line in await self.talk.done(command):
            self.take(line)

    def take(self, line: bytes) -> None:
        assert not self.rev2 or b"RECENT" not in line.upper()
        if exists := _EXISTS.fullmatch(line):
            count = int(exists[1])
            assert count >= len(self.flags)
            self.flags += [None] * (count - len(self.flags))
        elif expunged := _EXPUNGE.fullmatch(line):
            del self.flags[int(expunged[1]) - 1]
        elif told := _FLAGS.match(line):
            assert told[2] or not self.rev2
            self.flags[int(told[1]) - 1] = frozenset(told[3].split()) - {b"\\Recent"}


def some_command(chance: random.Random, count: int) -> bytes:
    number = chance.randrange(1, max(count, 1) + 1)
    some = b"%d:%d" % (number, min(count, number + chance.randrange(3))) if count else b"1"
    flags = chance.choice((b"(\\Deleted)", b"(\\Seen \\Flagged)", b"(work)", b"(\\Draft)"))
    return chance.choice(
        (
            b"STORE " + some + chance.choice((b" +FLAGS ", b" -FLAGS ", b" FLAGS ")) + flags,
            b"STORE " + some + b" +FLAGS " + flags,
            b"UID STORE " + some + b" +FLAGS " + flags,
            b"FETCH " + some + b" BODY[]",
            b"SEARCH UNSEEN",
            b"EXPUNGE",
            b"NOOP",
            b"COPY " + some + b" INBOX",
            b"UID MOVE " + some + b" INBOX",
            b"APPEND INBOX (\\Seen) {%d+}\r\n%b" % (len(MESSAGE), MESSAGE),
            b"APPEND INBOX {%d+}\r\n%b" % (len(MESSAGE), MESSAGE),
        )
    )


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_told_adds_up_to_what_is_there(any_port: int, seed: int) -> None:
    chance = random.Random(seed)
    async with member(any_port) as one, member(any_port) as two, member(any_port) as three:
        await two.done(b"ENABLE IMAP4rev2")
        followers = [Follower(one), Follower(two, rev2=True), Follower(await compress(three))]
        for follower in followers:
            await follower.ask(b"SELECT INBOX")
        for _ in range(150):
            follower = chance.choice(followers)
            await follower.ask(some_command(chance, len(follower.flags)))
        for follower in followers:
            await follower.ask(b"NOOP")
        async with member(any_port) as fresh:
            truth = Follower(fresh)
            await truth.ask(b"EXAMINE INBOX")
            if truth.flags:
                await truth.ask(b"FETCH 1:* FLAGS")
        for follower in followers:
            told = [
                ours if ours is not None else theirs
                for ours, theirs in zip(follower.flags, truth.flags, strict=True)
            ]
            assert told == truth.flags
