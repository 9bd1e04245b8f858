r"""What becomes of a maildrop: at QUIT, without QUIT, beside other sessions."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import set_keeps_trash, set_mailbox_disabled
from freehold.modules.mail.pop3.context import make_context
from freehold.modules.mail.pop3.session import make_factory
from freehold.modules.mail.pop3.settings import Pop3Settings
from freehold.storage.database import StorageError
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap
from tests.modules.mail.imap.client import member as imap_member
from tests.modules.mail.pop3.client import member, serving

MESSAGES = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(1, 5)]
MARKED = b"+OK Marked to be deleted"


@pytest.fixture
async def ports(any_host: MailHost) -> AsyncIterator[tuple[int, int]]:
    """POP3 and IMAP of one host, with four messages in Ann's INBOX; once on each engine."""
    async with (
        serving(any_host) as pop3_port,
        any_host.listening(imap(any_host), tls=False) as imap_port,
    ):
        async with imap_member(imap_port) as talk:
            for content in MESSAGES:
                assert (await talk.append(b"INBOX", content)).startswith(b"a OK")
        yield pop3_port, imap_port


async def flags(talk: ImapTalk, folder: bytes = b"INBOX") -> list[bytes]:
    r"""Return UID and flags of each message, without \Recent."""
    await talk.done(b"EXAMINE " + folder)
    lines = await talk.done(b"UID FETCH 1:* (FLAGS)")
    return [line.partition(b"(")[2].replace(b" \\Recent", b"").replace(b"\\Recent", b"") for line in lines]


async def test_marked_messages_go_at_quit_and_retrieved_ones_are_seen(ports: tuple[int, int]) -> None:
    pop3_port, imap_port = ports
    async with member(pop3_port) as talk, imap_member(imap_port, select=b"INBOX") as idler:
        await talk.retrieve(1)
        await talk.retrieve(2)
        assert await talk.ask_lines(b"TOP 4 1") == b"Subject: 4\r\n\r\nbody\r\n"
        assert [await talk.ask(b"DELE %d" % number) for number in (2, 3)] == [MARKED, MARKED]
        await idler.ask(b"IDLE")
        await talk.quit()
        told = {await idler.line() for _ in range(4)}
        assert told == {
            b"* 3 EXPUNGE",
            b"* 2 EXPUNGE",
            b"* 2 RECENT",
            b"* 1 FETCH (FLAGS (\\Seen \\Recent))",
        }
    async with imap_member(imap_port) as reader:
        assert await flags(reader) == [b"UID 1 FLAGS (\\Seen))", b"UID 4 FLAGS ())"]


async def test_a_lost_connection_removes_nothing_and_keeps_what_was_read(ports: tuple[int, int]) -> None:
    pop3_port, imap_port = ports
    async with imap_member(imap_port, select=b"INBOX") as idler:
        await idler.ask(b"IDLE")
        async with member(pop3_port) as talk:
            await talk.retrieve(1)
            assert await talk.ask(b"DELE 1") == MARKED
            assert await talk.ask(b"DELE 2") == MARKED
        assert (await idler.line()).startswith(b"* 1 FETCH (")
    async with member(pop3_port) as again:
        assert await again.ask(b"STAT") == b"+OK 4 %d" % sum(map(len, MESSAGES))
    async with imap_member(imap_port) as reader:
        assert await flags(reader) == [
            b"UID 1 FLAGS (\\Seen))",
            *(b"UID %d FLAGS ())" % uid for uid in (2, 3, 4)),
        ]


async def test_rset_takes_all_marks_back(ports: tuple[int, int]) -> None:
    async with member(ports[0]) as talk:
        assert await talk.ask(b"DELE 1") == MARKED
        assert (await talk.ask(b"RSET")).startswith(b"+OK 4 messages")
        await talk.quit()
    async with member(ports[0]) as talk:
        assert (await talk.ask(b"STAT")).startswith(b"+OK 4 ")


async def test_a_session_sees_what_was_there_at_login(ports: tuple[int, int]) -> None:
    pop3_port, imap_port = ports
    async with member(pop3_port) as talk, imap_member(imap_port, select=b"INBOX") as other:
        await other.append(b"INBOX", b"Subject: late\r\n\r\n")
        await other.done(b"STORE 2 +FLAGS (\\Deleted)")
        await other.done(b"EXPUNGE")
        assert (await talk.ask(b"STAT")).startswith(b"+OK 4 ")
        gone = b"-ERR The message has been removed meanwhile"
        assert [await talk.ask(command) for command in (b"RETR 2", b"TOP 2 0", b"DELE 2")] == [gone] * 3
        assert await talk.ask(b"RETR 5") == b"-ERR No such message"
        assert await talk.retrieve(3) == MESSAGES[2]
        assert await talk.ask(b"DELE 3") == MARKED
        await talk.quit()
        assert len(await flags(other)) == 3


async def test_two_sessions_may_remove_the_same(ports: tuple[int, int]) -> None:
    async with member(ports[0]) as one, member(ports[0]) as two:
        for talk in (one, two):
            await talk.retrieve(1)
            assert await talk.ask(b"DELE 1") == MARKED
        assert await two.ask(b"DELE 2") == MARKED
        await one.quit()
        await two.quit()
    async with member(ports[0]) as talk:
        assert await talk.retrieve(1) == MESSAGES[2]


async def test_what_is_removed_goes_to_trash_where_the_mailbox_asks_for_it(
    any_host: MailHost, ports: tuple[int, int]
) -> None:
    await any_host.runtime.database.write(
        set_keeps_trash, HOST_ADMINISTRATOR, "ann@example.test", keeps_trash=True
    )
    async with member(ports[0]) as talk:
        await talk.retrieve(2)
        assert await talk.ask(b"DELE 2") == MARKED
        await talk.quit()
    async with imap_member(ports[1]) as reader:
        assert len(await flags(reader)) == 3
        assert await flags(reader, b"Trash") == [b"UID 1 FLAGS (\\Seen))"]


async def test_who_is_disabled_meanwhile_reads_and_removes_nothing(
    any_host: MailHost, ports: tuple[int, int]
) -> None:
    async with member(ports[0]) as talk, member(ports[0]) as other:
        assert await talk.ask(b"DELE 1") == MARKED
        await any_host.runtime.database.write(
            set_mailbox_disabled, HOST_ADMINISTRATOR, "ann@example.test", is_disabled=True, now_ms=2
        )
        farewell = b"-ERR [SYS/PERM] The mailbox is no longer available\r\n"
        other.send(b"RETR 1\r\n")
        assert await other.rest() == farewell
        talk.send(b"QUIT\r\n")
        assert await talk.rest() == farewell
    assert len(await any_host.messages_of("ann@example.test")) == 4


async def test_each_has_a_maildrop_of_their_own(ports: tuple[int, int]) -> None:
    async with member(ports[0], b"bob@example.test") as talk:
        assert await talk.ask(b"STAT") == b"+OK 0 0"
        assert await talk.ask(b"RETR 1") == b"-ERR No such message"


class FullDisk:
    """A database that reads and cannot write."""

    def __init__(self, database: Any) -> None:
        self.read = database.read
        self.read_long = database.read_long

    async def write(self, *_arguments: Any, **_options: Any) -> None:
        raise StorageError


async def test_quit_is_refused_when_nothing_could_be_removed(
    host: MailHost, caplog: pytest.LogCaptureFixture
) -> None:
    async with host.listening(imap(host), tls=False) as port, imap_member(port) as talk:
        await talk.append(b"INBOX", MESSAGES[0])
    context = make_context(host.runtime, host.authenticator, Pop3Settings())
    broken: Any = FullDisk(host.runtime.database)
    factory = make_factory(dataclasses.replace(context, database=broken), has_starttls=False)
    async with host.listening(factory, tls=False) as port, member(port) as session:
        assert await session.ask(b"DELE 1") == MARKED
        session.send(b"QUIT\r\n")
        assert await session.rest() == b"-ERR [SYS/TEMP] Storage is unavailable, try again later\r\n"
    assert "command failed" in caplog.text
    assert len(await host.messages_of("ann@example.test")) == 1
