"""What a session does when storage cannot write, or no longer answers at all."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from freehold.kernel.capabilities import Capabilities
from freehold.modules.mail.folders.flags import change_flags
from freehold.modules.mail.imap.append.store import store_messages
from freehold.storage.database import Database, StorageError, StorageFullError
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import imap, member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


class FaultyDatabase:
    """A database whose disk may be full, or which may be gone after a write of some kind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_full = False
        self.is_gone = False
        self.goes_after: Any = None

    async def read(self, function: Any, *arguments: Any, **options: Any) -> Any:
        if self.is_gone:
            raise StorageError
        return await self._database.read(function, *arguments, **options)

    async def read_long(self, function: Any, *arguments: Any, **options: Any) -> Any:
        if self.is_gone:
            raise StorageError
        return await self._database.read_long(function, *arguments, **options)

    async def write(self, function: Any, *arguments: Any, **options: Any) -> Any:
        if self.is_full:
            raise StorageFullError
        result = await self._database.write(function, *arguments, **options)
        self.is_gone = function is self.goes_after
        return result

    write_relaxed = write


@pytest.fixture
def faulty(host: MailHost) -> FaultyDatabase:
    return FaultyDatabase(host.runtime.database)


@pytest.fixture
async def port(host: MailHost, faulty: FaultyDatabase) -> AsyncIterator[int]:
    database: Any = faulty
    runtime = dataclasses.replace(host.runtime, database=database, capabilities=Capabilities())
    async with host.listening(imap(dataclasses.replace(host, runtime=runtime)), tls=False) as opened:
        yield opened


async def test_a_full_disk_refuses_mail_and_lets_what_is_there_be_read(
    port: int, faulty: FaultyDatabase
) -> None:
    async with member(port) as talk, member(port, select=b"INBOX") as other:
        await talk.append(b"INBOX", MESSAGE)
        faulty.is_full = True
        assert (await talk.append(b"INBOX", MESSAGE)).startswith(b"a NO [UNAVAILABLE] storage is full")
        assert b"* 1 RECENT" in await talk.done(b"SELECT INBOX")
        assert await other.done(b"NOOP") == [b"* 1 EXISTS", b"* 1 RECENT"]
        assert await other.done(b"FETCH 1 BODY.PEEK[TEXT]") == [b"* 1 FETCH (BODY[TEXT] {6}\r\nbody\r\n)"]
        assert (await talk.refused(b"CLOSE")).startswith(b"NO [UNAVAILABLE] ")
        assert await talk.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Recent))"]
        faulty.is_full = False
        await talk.done(b"CLOSE")
        assert b"* 1 RECENT" in await talk.done(b"SELECT INBOX")
        assert b"* 0 RECENT" in await other.done(b"SELECT INBOX")


async def test_a_session_ends_with_a_word_when_storage_does_not_answer(
    port: int, faulty: FaultyDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    async with member(port, select=b"INBOX") as talk:
        faulty.is_gone = True
        talk.send(b"a FETCH 1:* FLAGS\r\n")
        assert await talk.rest() == b"* BYE [UNAVAILABLE] storage is unavailable, try again later\r\n"
    assert "session failed" not in caplog.text


@pytest.mark.parametrize(
    ("write", "command", "kept"),
    [
        (store_messages, b"REPLACE 1 INBOX {3+}\r\nnew", [b"new"]),
        (change_flags, b"STORE 1 (UNCHANGEDSINCE 99) +FLAGS.SILENT (\\Flagged)", [MESSAGE]),
    ],
)
async def test_what_was_stored_is_not_refused_when_it_cannot_be_told(
    host: MailHost, port: int, faulty: FaultyDatabase, write: Any, command: bytes, kept: list[bytes]
) -> None:
    async with member(port, select=b"INBOX") as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"NOOP")
        faulty.goes_after = write
        talk.send(b"a " + command + b"\r\n")
        rest = await talk.rest()
        assert b"a NO" not in rest
        assert rest.endswith(b"* BYE the command was carried out, but its result cannot be told\r\n")
    assert await host.messages_of("ann@example.test") == kept


async def test_what_a_store_came_to_is_told_without_asking_storage_again(
    port: int, faulty: FaultyDatabase
) -> None:
    async with member(port, select=b"INBOX") as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"NOOP")
        faulty.goes_after = change_flags
        assert await talk.done(b"STORE 1 +FLAGS (\\Flagged)") == [b"* 1 FETCH (FLAGS (\\Flagged \\Recent))"]
