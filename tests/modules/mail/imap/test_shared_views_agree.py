"""The owner and readers change a shared folder at random: each ends with what a fresh session gets."""

import random
from collections.abc import AsyncIterator

import pytest

from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import imap, member
from tests.modules.mail.imap.neighbours import ANN, BOB, CY, add_neighbours, of, share
from tests.modules.mail.imap.test_views_agree import Follower, some_command

PEOPLE = ((ANN, b"a"), (BOB, of(ANN, b"a")), (BOB, of(ANN, b"a")), (CY, of(ANN, b"a")))


@pytest.fixture
async def port(any_host: MailHost) -> AsyncIterator[int]:
    """The port of a host, once on each engine."""
    await add_neighbours(any_host)
    async with any_host.listening(imap(any_host), tls=False) as opened:
        yield opened


async def miscounted(tx: Transaction) -> list[tuple[int, ...]]:
    """Return the readers whose counter is wrong, and marks on messages that are gone."""
    wrong = await tx.fetch(
        "SELECT reader_id FROM folder_reader AS r WHERE seen_count <> (SELECT COALESCE(SUM(s.seen), 0)"
        " FROM message_seen AS s WHERE s.reader_id = r.reader_id AND s.message_id / 4294967296 = r.folder_id)"
    )
    return wrong + await tx.fetch(
        "SELECT message_id FROM message_seen WHERE message_id NOT IN (SELECT id FROM message)"
    )


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_told_adds_up_to_what_each_sees(any_host: MailHost, port: int, seed: int) -> None:
    chance = random.Random(seed)
    async with (
        member(port, ANN) as ann,
        member(port, BOB) as bob,
        member(port, BOB) as again,
        member(port, CY) as cy,
    ):
        await share(ann, b"a", b"anyone", b"lrswite")
        followers = [Follower(talk) for talk in (ann, bob, again, cy)]
        for follower, (_, name) in zip(followers, PEOPLE, strict=True):
            await follower.ask(b"SELECT " + name)
            await follower.ask(b"FETCH 1:* FLAGS")
        for _ in range(120):
            index = chance.randrange(len(followers))
            command = some_command(chance, len(followers[index].flags))
            await followers[index].ask(command.replace(b"INBOX", PEOPLE[index][1]))
        for follower, (person, name) in zip(followers, PEOPLE, strict=True):
            await follower.ask(b"NOOP")
            async with member(port, person) as fresh:
                truth = Follower(fresh)
                await truth.ask(b"SELECT " + name)
                await truth.ask(b"FETCH 1:* FLAGS")
                unseen = sum(b"\\Seen" not in (flags or ()) for flags in truth.flags)
                (status,) = await fresh.done(b"STATUS " + name + b" (UNSEEN)")
                assert status.endswith(b"(UNSEEN %d)" % unseen)
            assert len(follower.flags) == len(truth.flags)
            for told, real in zip(follower.flags, truth.flags, strict=True):
                assert told is None or told == real
    assert await any_host.runtime.database.read(miscounted) == []
