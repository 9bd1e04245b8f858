"""NOTIFY: news of the open folder and of others, unasked and no more than was asked for (RFC 5465)."""

import asyncio
import gc
import re

import pytest

from freehold.kernel.bus import NewsMissed
from freehold.modules.mail.events import FolderChanged
from freehold.modules.mail.imap import notify_state
from tests.mail_host import MailHost
from tests.modules.mail.folders.store import open_box
from tests.modules.mail.imap.client import ImapTalk, member
from tests.modules.mail.talk import WAIT_SECONDS

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
ALL_OF_MESSAGES = b"(MessageNew MessageExpunge FlagChange)"
NEW_AND_GONE = b"(MessageNew MessageExpunge)"


def tidy(line: bytes) -> bytes:
    """Return a line with the numbers that differ from run to run as N."""
    return re.sub(rb"(UIDVALIDITY|MODSEQ) \d+", rb"\1 N", line)


async def heard(talk: ImapTalk) -> bytes:
    return tidy(await talk.line())


async def silence(talk: ImapTalk) -> None:
    """Assert that nothing was told: what NOOP answers has nothing before it."""
    assert await talk.done(b"NOOP") == []


async def test_a_new_message_of_another_folder_is_told_without_any_command(any_port: int) -> None:
    async with member(any_port) as watcher, member(any_port) as actor:
        await watcher.done(b"SELECT Drafts")
        assert await watcher.done(b"NOTIFY SET (personal " + NEW_AND_GONE + b")") == []
        await actor.append(b"INBOX", MESSAGE)
        assert await heard(watcher) == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        await actor.done(b"SELECT INBOX")
        await actor.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await actor.done(b"EXPUNGE")
        assert await heard(watcher) == b"* STATUS INBOX (MESSAGES 0 UIDNEXT 2 UNSEEN 0)"


async def test_flags_are_told_by_what_status_can_say(any_port: int) -> None:
    async with member(any_port) as plain, member(any_port) as knowing, member(any_port) as actor:
        await actor.append(b"INBOX", MESSAGE)
        await actor.done(b"SELECT INBOX")
        await knowing.done(b"ENABLE CONDSTORE")
        for talk in (plain, knowing):
            await talk.done(b"NOTIFY SET (mailboxes inbox " + ALL_OF_MESSAGES + b")")
        await actor.done(b"STORE 1 +FLAGS (\\Seen)")
        assert await heard(plain) == b"* STATUS INBOX (UNSEEN 0)"
        assert await heard(knowing) == b"* STATUS INBOX (UNSEEN 0 UIDVALIDITY N HIGHESTMODSEQ N)"
        await actor.done(b"STORE 1 +FLAGS (\\Flagged)")
        assert await heard(knowing) == b"* STATUS INBOX (UIDVALIDITY N HIGHESTMODSEQ N)"
        await silence(plain)
        await actor.append(b"INBOX", MESSAGE)
        assert await heard(plain) == b"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UNSEEN 1)"
        assert (
            await heard(knowing)
            == b"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UNSEEN 1 UIDVALIDITY N HIGHESTMODSEQ N)"
        )


async def test_flags_are_not_told_to_whom_only_new_messages_matter(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await actor.append(b"INBOX", MESSAGE)
        await actor.done(b"SELECT INBOX")
        await watcher.done(b"ENABLE CONDSTORE")
        await watcher.done(b"NOTIFY SET (personal " + NEW_AND_GONE + b")")
        await actor.done(b"STORE 1 +FLAGS (\\Seen)")
        await silence(watcher)


async def test_the_first_status_tells_where_each_watched_folder_stands(any_port: int) -> None:
    async with member(any_port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT Sent")
        lines = await talk.done(b"NOTIFY SET STATUS (personal " + NEW_AND_GONE + b")")
        assert [tidy(line) for line in lines] == [
            b"* STATUS Archive (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N UNSEEN 0)",
            b"* STATUS Drafts (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N UNSEEN 0)",
            b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N UNSEEN 1)",
            b"* STATUS Junk (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N UNSEEN 0)",
            b"* STATUS Trash (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N UNSEEN 0)",
        ]
        lines = await talk.done(
            b"NOTIFY SET STATUS (mailboxes (INBOX Sent Nowhere) " + ALL_OF_MESSAGES + b")"
        )
        assert [tidy(line) for line in lines] == [
            b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY N UNSEEN 1 HIGHESTMODSEQ N)"
        ]
        assert await talk.done(b"NOTIFY SET STATUS (personal (MailboxName))") == []
        assert await talk.done(b"NOTIFY SET (personal " + NEW_AND_GONE + b")") == []


async def test_the_open_folder_is_told_at_once_with_what_was_asked_of_new_messages(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as watcher, member(any_port) as actor:
        await watcher.done(
            b"NOTIFY SET (selected (MessageNew (uid BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
            b" MessageExpunge FlagChange))"
        )
        await actor.append(b"INBOX", MESSAGE)
        assert await watcher.line() == b"* 1 EXISTS"
        assert (await watcher.line()).endswith(b" RECENT")
        assert (
            await watcher.line()
            == b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {14}\r\nSubject: x\r\n\r\n)"
        )
        await actor.done(b"SELECT INBOX")
        await actor.done(b"STORE 1 +FLAGS (\\Deleted)")
        told = await watcher.line()
        assert told.startswith(b"* 1 FETCH (UID 1 FLAGS (\\Deleted")
        await actor.done(b"EXPUNGE")
        assert await watcher.line() == b"* 1 EXPUNGE"


async def test_with_selected_expunges_are_told_by_any_command_with_selected_delayed_they_wait(
    any_port: int,
) -> None:
    async with member(any_port) as actor:
        for _ in range(3):
            await actor.append(b"INBOX", MESSAGE)
        await actor.done(b"SELECT INBOX")
        async with (
            member(any_port, select=b"INBOX") as at_once,
            member(any_port, select=b"INBOX") as delayed,
        ):
            await at_once.done(b"NOTIFY SET (selected " + NEW_AND_GONE + b")")
            await delayed.done(b"NOTIFY SET (selected-delayed " + NEW_AND_GONE + b")")
            await actor.done(b"UID STORE 2 +FLAGS.SILENT (\\Deleted)")
            await actor.done(b"EXPUNGE")
            assert await at_once.line() == b"* 2 EXPUNGE"
            await actor.append(b"INBOX", MESSAGE)
            assert await delayed.line() == b"* 4 EXISTS"
            lines = await delayed.done(b"FETCH 3 UID")
            assert b"* 3 FETCH (UID 3)" in lines
            assert not [line for line in lines if b"EXPUNGE" in line]
            assert b"* 2 EXPUNGE" in await delayed.done(b"NOOP")
            await actor.done(b"UID STORE 3 +FLAGS.SILENT (\\Deleted)")
            await actor.done(b"EXPUNGE")
            delayed.send(b"i IDLE\r\n")
            told = [await delayed.line(), await delayed.line()]
            assert sorted(told) == [b"* 2 EXPUNGE", b"+ idling"]


async def test_none_is_a_snapshot_until_more_is_asked_for(any_port: int) -> None:
    async with member(any_port) as actor:
        await actor.append(b"INBOX", MESSAGE)
        await actor.append(b"INBOX", MESSAGE)
        async with member(any_port, select=b"INBOX") as talk:
            await talk.done(b"NOTIFY NONE")
            await actor.done(b"SELECT INBOX")
            await actor.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
            await actor.done(b"STORE 2 +FLAGS.SILENT (\\Flagged)")
            await actor.done(b"EXPUNGE")
            await actor.append(b"INBOX", MESSAGE)
            await silence(talk)
            assert await talk.done(b"FETCH 2 UID") == [b"* 2 FETCH (UID 2)"]
            lines = await talk.done(b"NOTIFY SET (selected " + NEW_AND_GONE + b")")
            assert lines[:2] == [b"* 1 EXPUNGE", b"* 2 EXISTS"]
            assert not [line for line in lines if b"FETCH" in line]
            lines = await talk.done(b"NOTIFY SET (selected " + ALL_OF_MESSAGES + b")")
            assert [line for line in lines if line.startswith(b"* 1 FETCH (UID 2 FLAGS (\\Flagged")]


async def test_the_open_folder_is_told_by_its_own_group_only(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (personal " + NEW_AND_GONE + b")")
        await watcher.done(b"SELECT INBOX")
        await actor.append(b"INBOX", MESSAGE)
        await silence(watcher)
        await watcher.done(b"SELECT Drafts")
        await actor.append(b"INBOX", MESSAGE)
        assert await heard(watcher) == b"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UNSEEN 2)"


async def test_the_watched_folder_is_the_one_that_is_open_now(port: int) -> None:
    async with member(port, select=b"INBOX") as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (selected " + NEW_AND_GONE + b")")
        await watcher.done(b"SELECT Drafts")
        await actor.append(b"INBOX", MESSAGE)
        await actor.append(b"Drafts", MESSAGE)
        assert await watcher.line() == b"* 1 EXISTS"
        assert (await watcher.line()).endswith(b"RECENT")
        await watcher.done(b"UNSELECT")
        await actor.append(b"Drafts", MESSAGE)
        await silence(watcher)


async def test_names_are_told_as_they_come_change_and_go(any_port: int) -> None:
    async with member(any_port) as watcher, member(any_port) as actor:
        await watcher.done(b"NOTIFY SET (personal (MailboxName))")
        await actor.done(b"CREATE a")
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" a'
        await actor.done(b"CREATE a/b")
        assert await watcher.line() == b'* LIST (\\HasChildren) "/" a'
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" a/b'
        await actor.done(b"RENAME a c")
        assert await watcher.line() == b'* LIST (\\HasChildren) "/" c ("OLDNAME" (a))'
        await actor.done(b"DELETE c/b")
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" c'
        assert await watcher.line() == b'* LIST (\\NonExistent) "/" c/b'
        await actor.done(b"SUBSCRIBE c")
        await silence(watcher)


async def test_subscriptions_are_told_with_all_attributes(any_port: int) -> None:
    async with member(any_port) as watcher, member(any_port) as actor:
        await watcher.done(b"NOTIFY SET (subtree (Drafts Sent) (SubscriptionChange))")
        await actor.done(b"UNSUBSCRIBE Drafts")
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" Drafts'
        await actor.done(b"SUBSCRIBE Drafts")
        assert await watcher.line() == b'* LIST (\\HasNoChildren \\Subscribed) "/" Drafts'
        await actor.done(b"UNSUBSCRIBE Junk")
        await silence(watcher)


async def test_subscribed_follows_the_subscriptions(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (subscribed " + NEW_AND_GONE + b")")
        await actor.done(b"UNSUBSCRIBE Drafts")
        await actor.append(b"Drafts", MESSAGE)
        await silence(watcher)
        await actor.done(b"SUBSCRIBE Drafts")
        assert await heard(watcher) == b"* STATUS Drafts (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        await actor.append(b"Drafts", MESSAGE)
        assert await heard(watcher) == b"* STATUS Drafts (MESSAGES 2 UIDNEXT 3 UNSEEN 2)"


async def test_a_subtree_is_its_top_and_all_below_and_nothing_beside(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        for name in (b"top", b"top/in/deep", b"topmost"):
            await actor.done(b"CREATE " + name)
        await watcher.done(b"NOTIFY SET (subtree top " + NEW_AND_GONE + b")")
        await actor.append(b"topmost", MESSAGE)
        await actor.append(b"top/in/deep", MESSAGE)
        assert await heard(watcher) == b"* STATUS top/in/deep (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        await actor.append(b"top", MESSAGE)
        assert await heard(watcher) == b"* STATUS top (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"


async def test_a_folder_made_later_is_watched_and_one_made_anew_tells_its_validity(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (mailboxes later " + NEW_AND_GONE + b")")
        await actor.done(b"CREATE later")
        await actor.append(b"later", MESSAGE)
        assert await heard(watcher) == b"* STATUS later (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        await actor.done(b"DELETE later")
        await actor.done(b"CREATE later")
        assert await heard(watcher) == b"* STATUS later (MESSAGES 0 UIDNEXT 1 UIDVALIDITY N UNSEEN 0)"


async def test_during_idle_exactly_what_was_asked_for_is_told(port: int) -> None:
    async with member(port, select=b"INBOX") as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (mailboxes Drafts " + NEW_AND_GONE + b")")
        assert await watcher.ask(b"IDLE") == [b"+ idling"]
        await actor.append(b"INBOX", MESSAGE)
        await actor.append(b"Drafts", MESSAGE)
        assert await heard(watcher) == b"* STATUS Drafts (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        watcher.send(b"DONE\r\n")
        assert await watcher.replies() == [b"a OK Idle completed"]


async def test_what_is_asked_for_replaces_what_was(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (personal " + NEW_AND_GONE + b")")
        await watcher.done(b"NOTIFY SET (mailboxes Drafts " + NEW_AND_GONE + b")")
        await actor.append(b"INBOX", MESSAGE)
        await silence(watcher)
        await watcher.done(b"NOTIFY NONE")
        await actor.append(b"Drafts", MESSAGE)
        await silence(watcher)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"NOTIFY", b"BAD"),
        (b"NOTIFY SET", b"BAD"),
        (b"NOTIFY NONE x", b"BAD"),
        (b"NOTIFY SET (personal (MessageNew))", b"BAD"),
        (b"NOTIFY SET (personal (FlagChange))", b"BAD"),
        (b"NOTIFY SET (personal ())", b"BAD"),
        (b"NOTIFY SET (mailboxes () (MailboxName))", b"BAD"),
        (b"NOTIFY SET (elsewhere (MailboxName))", b"BAD"),
        (b"NOTIFY SET (selected (MailboxName))", b"BAD"),
        (b"NOTIFY SET (selected (MailboxMetadataChange))", b"BAD"),
        (b"NOTIFY SET (selected-delayed (ServerMetadataChange))", b"BAD"),
        (b"NOTIFY SET (selected NONE) (selected-delayed NONE)", b"BAD"),
        (b"NOTIFY SET (personal (MessageNew (UID) MessageExpunge))", b"BAD"),
        (b"NOTIFY SET (selected (MessageNew () MessageExpunge))", b"BAD"),
        (
            b"NOTIFY SET (personal (AnnotationChange))",
            b"NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange"
            b" MailboxMetadataChange ServerMetadataChange)]",
        ),
        (b"NOTIFY SET (personal (AnnotationChange ServerMetadataChange))", b"NO [BADEVENT (MessageNew "),
        (b"NOTIFY SET (personal (Sunrise))", b"NO [BADEVENT (MessageNew "),
        (
            b"NOTIFY SET (mailboxes (" + b" ".join(b"f%d" % n for n in range(101)) + b") (MailboxName))",
            b"NO [NOTIFICATIONOVERFLOW] ",
        ),
    ],
)
async def test_what_cannot_be_told_is_refused_and_leaves_all_as_it_was(
    port: int, command: bytes, reply: bytes
) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (mailboxes INBOX " + NEW_AND_GONE + b")")
        assert (await watcher.refused(command)).startswith(reply)
        await actor.append(b"INBOX", MESSAGE)
        assert await heard(watcher) == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"


async def test_more_folders_than_may_be_watched_are_refused_and_later_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (personal (MailboxName MessageNew MessageExpunge))")
        monkeypatch.setattr(notify_state, "MAX_WATCHED_FOLDERS", 6)
        await actor.done(b"CREATE one-too-many")
        assert (await watcher.line()).startswith(b"* OK [NOTIFICATIONOVERFLOW] ")
        await actor.append(b"INBOX", MESSAGE)
        await silence(watcher)
        refusal = await watcher.refused(b"NOTIFY SET (personal (MailboxName))")
        assert refusal.startswith(b"NO [NOTIFICATIONOVERFLOW] ")
        await watcher.done(b"NOTIFY SET (mailboxes INBOX " + NEW_AND_GONE + b")")


async def test_a_burst_of_deliveries_is_a_handful_of_news(host: MailHost, port: int) -> None:
    box = await open_box(host, "ann@example.test")
    async with member(port) as watcher:
        await watcher.done(b"SELECT Drafts")
        await watcher.done(b"NOTIFY SET (personal " + NEW_AND_GONE + b")")
        for _ in range(300):
            place, _ = await box.append("INBOX")
            host.runtime.bus.publish(FolderChanged(1, place.folder_id, place.modseq))
        lines = [await watcher.line()]
        while b"MESSAGES 300 " not in lines[-1]:
            lines.append(await watcher.line())
        assert len(lines) < 150


async def test_news_that_were_missed_are_looked_for(host: MailHost, port: int) -> None:
    box = await open_box(host, "ann@example.test")
    async with member(port, select=b"INBOX") as idler, member(port) as watcher:
        await idler.ask(b"IDLE")
        await watcher.done(b"NOTIFY SET (personal (MailboxName MessageNew MessageExpunge))")
        await box.append("INBOX")
        host.runtime.bus.publish(NewsMissed())
        assert await idler.line() == b"* 1 EXISTS"
        assert await heard(watcher) == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"


async def test_an_append_under_way_is_not_interrupted_and_the_news_comes_with_its_reply(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (mailboxes INBOX " + NEW_AND_GONE + b")")
        watcher.send(b"a APPEND Drafts {%d}\r\n" % len(MESSAGE))
        assert (await watcher.line()).startswith(b"+ ")
        await actor.append(b"INBOX", MESSAGE)
        watcher.send(MESSAGE + b"\r\n")
        lines = await watcher.replies()
        assert tidy(lines[0]) == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        assert lines[-1].startswith(b"a OK [APPENDUID ")


async def test_nobody_hears_of_another_persons_folders(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, b"bob@example.test") as bob:
        everything = b"NOTIFY SET STATUS (selected " + ALL_OF_MESSAGES + b") "
        for group in (b"personal", b"subscribed", b"inboxes"):
            everything += b"(" + group + b" (MailboxName SubscriptionChange MessageNew MessageExpunge)) "
        await bob.done(everything.strip())
        await bob.done(b"SELECT INBOX")
        await ann.done(b"CREATE secret")
        await ann.append(b"INBOX", MESSAGE)
        await ann.append(b"secret", MESSAGE)
        await ann.done(b"UNSUBSCRIBE secret")
        await silence(bob)
        await bob.done(b"NOTIFY SET (mailboxes secret " + NEW_AND_GONE + b") (subtree secret (MailboxName))")
        await ann.append(b"secret", MESSAGE)
        await ann.done(b"RENAME secret hidden")
        await silence(bob)


def registrations() -> int:
    """Return how many sessions of this process are registered for news."""
    gc.collect()
    return sum(isinstance(each, notify_state.Registration) for each in gc.get_objects())


async def test_nothing_is_kept_of_a_client_that_is_gone(port: int) -> None:
    async with member(port) as actor:
        async with member(port, select=b"INBOX") as watcher:
            await watcher.done(b"NOTIFY SET (selected " + NEW_AND_GONE + b") (personal (MailboxName))")
            assert registrations() == 1
        async with asyncio.timeout(WAIT_SECONDS):
            while registrations():
                await actor.append(b"INBOX", MESSAGE)


async def test_a_shared_folder_is_watched_for_as_long_as_it_may_be_read(any_port: int) -> None:
    name = b'"Other Users/ann@example.test/team"'
    async with member(any_port) as ann, member(any_port, b"bob@example.test") as bob:
        await ann.done(b"CREATE team")
        await ann.done(b"CREATE private")
        await ann.done(b"SETACL team bob@example.test l")
        lines = await bob.done(b"NOTIFY SET (mailboxes " + name + b" " + NEW_AND_GONE + b")")
        assert lines == [b'* LIST (\\NoAccess) "/" ' + name]
        await ann.append(b"team", MESSAGE)
        await silence(bob)
        await ann.done(b"SETACL team bob@example.test lr")
        assert await heard(bob) == b"* STATUS " + name + b" (MESSAGES 1 UIDNEXT 2 UNSEEN 1)"
        await ann.append(b"private", MESSAGE)
        await ann.append(b"team", MESSAGE)
        assert await heard(bob) == b"* STATUS " + name + b" (MESSAGES 2 UIDNEXT 3 UNSEEN 2)"
        await bob.done(b"NOTIFY SET (subtree " + name + b" (MailboxName)) (personal " + NEW_AND_GONE + b")")
        await ann.done(b"DELETEACL team bob@example.test")
        assert await bob.line() == b'* LIST (\\NonExistent) "/" ' + name
        await ann.append(b"team", MESSAGE)
        await silence(bob)
