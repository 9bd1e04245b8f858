"""SORT and THREAD of many messages, which take memory for each: one session of a process at a time."""

import asyncio
from typing import Any

import pytest

from freehold.modules.mail.imap.search import sort_order, sort_rows
from freehold.modules.mail.imap.search.sort_rows import read_rows_of
from freehold.modules.mail.imap.thread import command
from tests.modules.mail.imap.client import ImapTalk, member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
WAIT_SECONDS = 20


class Readers:
    """How many sessions read rows at the same moment; each waits for `at_ease` before it goes on."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.entered = asyncio.Event()
        self.at_ease = asyncio.Event()

    async def read(self, *arguments: Any) -> Any:
        self.now += 1
        self.most = max(self.most, self.now)
        self.entered.set()
        await asyncio.wait_for(self.at_ease.wait(), WAIT_SECONDS)
        rows = await read_rows_of(*arguments)
        self.now -= 1
        return rows


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Readers:
    made = Readers()
    monkeypatch.setattr(sort_order, "read_rows_of", made.read)
    monkeypatch.setattr(command, "read_rows_of", made.read)
    return made


async def fill(talk: ImapTalk) -> None:
    for _ in range(3):
        await talk.append(b"INBOX", MESSAGE)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when somebody has to wait for a lock."""
    acquire, event = asyncio.Lock.acquire, asyncio.Event()

    async def acquire_and_tell(lock: asyncio.Lock) -> Any:
        if lock.locked():
            event.set()
        return await acquire(lock)

    monkeypatch.setattr(asyncio.Lock, "acquire", acquire_and_tell)
    return event


@pytest.mark.parametrize("many", [True, False])
async def test_one_session_at_a_time_puts_many_messages_in_order(
    port: int, readers: Readers, waits: asyncio.Event, monkeypatch: pytest.MonkeyPatch, *, many: bool
) -> None:
    monkeypatch.setattr(sort_rows, "CHUNK_MESSAGES", 2 if many else 3)
    async with member(port) as one, member(port) as other:
        await fill(one)
        await one.done(b"SELECT INBOX")
        await other.done(b"SELECT INBOX")
        one.send(b"a SORT (SUBJECT) UTF-8 ALL\r\n")
        await asyncio.wait_for(readers.entered.wait(), WAIT_SECONDS)
        readers.entered.clear()
        other.send(b"a THREAD REFERENCES UTF-8 ALL\r\n")
        await asyncio.wait_for((waits if many else readers.entered).wait(), WAIT_SECONDS)
        readers.at_ease.set()
        assert await one.replies() == [b"* SORT 1 2 3", b"a OK Sort completed"]
        assert await other.replies() == [b"* THREAD ((1)(2)(3))", b"a OK Thread completed"]
    assert readers.most == (1 if many else 2)
