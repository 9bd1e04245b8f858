r"""Expunging into Trash, as the session that does it and those that watch see it."""

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import set_keeps_trash
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture
async def trash_port(any_host: MailHost, any_port: int) -> int:
    """The port of a host on which Ann's expunged messages move to Trash."""
    await any_host.runtime.database.write(
        set_keeps_trash, HOST_ADMINISTRATOR, "ann@example.test", keeps_trash=True
    )
    return any_port


async def test_a_session_with_qresync_sees_messages_vanish_and_arrive_in_trash(trash_port: int) -> None:
    async with member(trash_port) as talk, member(trash_port) as inbox, member(trash_port) as trash:
        for watcher, folder in ((inbox, b"INBOX"), (trash, b"Trash")):
            await watcher.done(b"ENABLE QRESYNC")
            await watcher.done(b"SELECT " + folder)
        for _ in range(3):
            await talk.append(b"INBOX", MESSAGE)
        await inbox.done(b"NOOP")
        await talk.done(b"SELECT INBOX")
        await talk.done(b"STORE 1,3 +FLAGS (\\Deleted \\Seen)")
        assert await talk.done(b"EXPUNGE") == [b"* 3 EXPUNGE", b"* 1 EXPUNGE"]
        assert await inbox.done(b"NOOP") == [b"* VANISHED 1,3", b"* 1 RECENT"]
        told = await trash.done(b"NOOP")
        assert b"* 2 EXISTS" in told
        assert not any(b"VANISHED" in line for line in told)
        assert await trash.done(b"FETCH 1:* (UID FLAGS)") == [
            b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))",
            b"* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))",
        ]
        await trash.done(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        assert [line for line in await trash.done(b"EXPUNGE") if b"VANISHED" in line] == [b"* VANISHED 1:2"]
        assert await talk.done(b"STATUS Trash (MESSAGES SIZE)") == [b"* STATUS Trash (MESSAGES 0 SIZE 0)"]


async def test_a_client_that_comes_back_learns_what_vanished_and_when(trash_port: int) -> None:
    async with member(trash_port) as talk:
        for _ in range(2):
            await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX")
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"CLOSE")
        await talk.done(b"ENABLE QRESYNC")
        lines = await talk.done(b"SELECT INBOX (QRESYNC (1 3))")
        assert b"* VANISHED (EARLIER) 1" in lines
        assert b"* 1 EXISTS" in lines
        assert await talk.done(b"STATUS Trash (MESSAGES)") == [b"* STATUS Trash (MESSAGES 1)"]


async def test_uid_expunge_moves_only_the_messages_named(trash_port: int) -> None:
    async with member(trash_port) as talk:
        for _ in range(3):
            await talk.append(b"INBOX", MESSAGE, b"(\\Deleted) ")
        await talk.done(b"SELECT INBOX")
        assert await talk.done(b"UID EXPUNGE 2") == [b"* 2 EXPUNGE", b"* 2 RECENT"]
        assert await talk.done(b"STATUS Trash (MESSAGES DELETED)") == [
            b"* STATUS Trash (MESSAGES 1 DELETED 0)"
        ]


async def test_a_full_mailbox_can_still_be_emptied(any_host: MailHost, trash_port: int) -> None:
    await any_host.set_quota("ann@example.test", len(MESSAGE))
    async with member(trash_port) as talk:
        await talk.append(b"INBOX", MESSAGE, b"(\\Deleted) ")
        await talk.done(b"SELECT INBOX")
        assert await talk.done(b"EXPUNGE") == [b"* 1 EXPUNGE", b"* 0 RECENT"]
        assert await talk.done(b"STATUS Trash (MESSAGES)") == [b"* STATUS Trash (MESSAGES 1)"]


async def test_what_another_expunges_in_a_shared_folder_is_in_its_owner_s_trash(trash_port: int) -> None:
    async with member(trash_port) as ann, member(trash_port, b"bob@example.test") as bob:
        await ann.append(b"INBOX", MESSAGE)
        await ann.done(b"SETACL INBOX bob@example.test lrste")
        await bob.done(b'SELECT "Other Users/ann@example.test/INBOX"')
        await bob.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        assert await bob.done(b"EXPUNGE") == [b"* 1 EXPUNGE"]
        assert await ann.done(b"STATUS Trash (MESSAGES DELETED)") == [
            b"* STATUS Trash (MESSAGES 1 DELETED 0)"
        ]
        assert await bob.done(b"STATUS Trash (MESSAGES)") == [b"* STATUS Trash (MESSAGES 0)"]
