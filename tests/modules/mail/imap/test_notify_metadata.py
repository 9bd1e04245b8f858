"""NOTIFY of annotations: changed names, to whom may read them and to nobody else (RFC 5465 §5.6, §5.7)."""

import dataclasses
from typing import Any

import pytest

from freehold.kernel.bus import NewsMissed
from freehold.kernel.capabilities import Capabilities
from freehold.modules.mail.events import FolderChanged
from freehold.modules.mail.folders import metadata
from freehold.modules.mail.imap.settings import ImapSettings
from freehold.storage.database import Row, StorageFullError, Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member

BOB = b"bob@example.test"
TEAM = b'"Other Users/ann@example.test/team"'
OF_FOLDERS = b"NOTIFY SET (personal (MailboxMetadataChange))"
OF_ALL = b"NOTIFY SET (personal (MailboxMetadataChange ServerMetadataChange))"
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


async def annotate(talk: ImapTalk, mailbox: bytes, *pairs: bytes) -> None:
    """Set entries; nothing of it is told to the session that does."""
    assert await talk.done(b"SETMETADATA " + mailbox + b" (" + b" ".join(pairs) + b")") == []


async def silence(talk: ImapTalk) -> None:
    """Assert that nothing was told, nor is when the session is made to look."""
    assert await talk.done(b"NOOP") == []


async def test_names_of_changed_entries_are_told_without_their_values(any_port: int) -> None:
    async with member(any_port) as watcher, member(any_port) as actor:
        assert await watcher.done(OF_FOLDERS) == []
        await annotate(actor, b"INBOX", b'/shared/comment "ours"', b'/private/Comment "mine"')
        assert await watcher.line() == b"* METADATA INBOX /private/comment /shared/comment"
        await annotate(actor, b"Drafts", b'"/private/a b" "x"')
        assert await watcher.line() == b'* METADATA Drafts "/private/a b"'
        await annotate(actor, b"INBOX", b"/shared/comment NIL")
        assert await watcher.line() == b"* METADATA INBOX /shared/comment"
        await silence(watcher)


@pytest.mark.parametrize(
    "group",
    [
        b"personal",
        b"inboxes",
        b"subscribed",
        b"mailboxes Drafts",
        b"mailboxes (INBOX Drafts)",
        b"subtree Drafts",
    ],
)
async def test_every_filter_takes_the_events(port: int, group: bytes) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET STATUS (" + group + b" (MailboxMetadataChange ServerMetadataChange))")
        await annotate(actor, b"Drafts", b'/shared/comment "x"')
        assert await watcher.line() == b"* METADATA Drafts /shared/comment"
        await annotate(actor, b'""', b'/private/vendor/x "y"')
        assert await watcher.line() == b'* METADATA "" /private/vendor/x'


async def test_other_folders_and_what_was_not_asked_for_are_not_told(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (mailboxes Drafts (MailboxMetadataChange)) (personal (MailboxName))")
        await annotate(actor, b"INBOX", b'/shared/comment "x"')
        await annotate(actor, b'""', b'/private/vendor/x "y"')
        await silence(watcher)
        await watcher.done(b"NOTIFY SET (personal (ServerMetadataChange))")
        await annotate(actor, b"Drafts", b'/shared/comment "x"')
        await silence(watcher)
        await watcher.done(b"NOTIFY SET (personal (MessageNew MessageExpunge))")
        await annotate(actor, b"Drafts", b'/shared/comment "y"')
        await annotate(actor, b'""', b'/private/vendor/x "z"')
        await silence(watcher)


async def test_the_open_folder_is_told_too_while_idling_and_between_commands(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as watcher, member(any_port) as actor:
        await watcher.done(b"NOTIFY SET (selected NONE) (mailboxes INBOX (MailboxMetadataChange))")
        await annotate(actor, b"INBOX", b'/private/comment "1"')
        assert await watcher.line() == b"* METADATA INBOX /private/comment"
        assert await watcher.ask(b"IDLE") == [b"+ idling"]
        await annotate(actor, b"INBOX", b'/private/comment "2"')
        assert await watcher.line() == b"* METADATA INBOX /private/comment"
        watcher.send(b"DONE\r\n")
        assert await watcher.replies() == [b"a OK Idle completed"]


async def test_entries_of_the_server_are_told_to_the_same_person_only(any_port: int) -> None:
    async with (
        member(any_port) as watcher,
        member(any_port) as actor,
        member(any_port, BOB) as bob,
    ):
        await annotate(actor, b'""', b'/private/vendor/old "1"')
        await watcher.done(OF_ALL)
        await bob.done(OF_ALL)
        await annotate(actor, b'""', b'/private/vendor/b "1"', b'/private/vendor/a "2"')
        assert await watcher.line() == b'* METADATA "" /private/vendor/a /private/vendor/b'
        await annotate(actor, b'""', b"/private/vendor/a NIL")
        assert await watcher.line() == b'* METADATA "" /private/vendor/a'
        await silence(watcher)
        await silence(bob)


async def test_ones_own_changes_are_not_told_and_those_of_others_are_at_the_same_moment(
    any_port: int,
) -> None:
    async with member(any_port) as one, member(any_port) as two:
        for talk in (one, two):
            await talk.done(OF_ALL)
        await annotate(one, b"INBOX", b'/private/a "1"')
        await annotate(one, b'""', b'/private/vendor/x "1"')
        told = {await two.line(), await two.line()}
        assert told == {b"* METADATA INBOX /private/a", b'* METADATA "" /private/vendor/x'}
        await silence(one)
        await annotate(one, b"INBOX", b'/private/b "1"')
        lines = await two.done(b'SETMETADATA INBOX (/private/c "1")')
        assert lines == [b"* METADATA INBOX /private/b"]
        assert await one.line() == b"* METADATA INBOX /private/c"
        await silence(one)


async def test_what_is_set_to_what_it_was_or_removed_where_there_is_nothing_is_no_change(
    any_port: int,
) -> None:
    async with member(any_port) as watcher, member(any_port) as actor:
        await annotate(actor, b"INBOX", b'/private/a "1"', b'/private/b "1"')
        await watcher.done(OF_FOLDERS)
        await annotate(actor, b"INBOX", b'/private/a "1"', b"/private/none NIL", b'/private/b "2"')
        assert await watcher.line() == b"* METADATA INBOX /private/b"
        await annotate(actor, b"INBOX", b"/private/b NIL")
        assert await watcher.line() == b"* METADATA INBOX /private/b"
        await annotate(actor, b"INBOX", b"/private/b NIL")
        await silence(watcher)


async def test_shared_entries_are_told_to_whom_may_read_the_folder_private_ones_to_nobody_else(
    any_port: int,
) -> None:
    watch = b"NOTIFY SET (mailboxes (team " + TEAM + b") (MailboxMetadataChange))"
    async with (
        member(any_port) as ann,
        member(any_port) as ann_elsewhere,
        member(any_port, BOB) as bob,
        member(any_port, BOB) as bob_elsewhere,
    ):
        await ann.done(b"CREATE team")
        await ann.done(b"SETACL team bob@example.test l")
        await annotate(ann, b"team", b'/shared/before "1"', b'/shared/gone "1"')
        await annotate(ann, b"team", b"/shared/gone NIL")
        assert await bob.done(watch) == [b'* LIST (\\NoAccess) "/" ' + TEAM]
        await bob_elsewhere.done(watch)
        await ann_elsewhere.done(watch)
        await annotate(ann, b"team", b'/shared/a "1"', b'/private/a "1"')
        assert await ann_elsewhere.line() == b"* METADATA team /private/a /shared/a"
        await silence(bob)
        await ann.done(b"SETACL team bob@example.test lrw")
        assert await bob.line() == b"* METADATA " + TEAM + b" /shared/a /shared/before"
        assert await bob_elsewhere.line() == b"* METADATA " + TEAM + b" /shared/a /shared/before"
        await annotate(ann, b"team", b'/shared/a "2"', b'/private/a "2"')
        assert await bob.line() == b"* METADATA " + TEAM + b" /shared/a"
        assert await bob_elsewhere.line() == b"* METADATA " + TEAM + b" /shared/a"
        assert await ann_elsewhere.line() == b"* METADATA team /private/a /shared/a"
        await annotate(bob, TEAM, b'/private/mine "1"')
        assert await bob_elsewhere.line() == b"* METADATA " + TEAM + b" /private/mine"
        await silence(ann_elsewhere)
        await annotate(bob, TEAM, b'/shared/bobs "1"', b'/private/mine "2"')
        assert await bob_elsewhere.line() == b"* METADATA " + TEAM + b" /private/mine /shared/bobs"
        assert await ann_elsewhere.line() == b"* METADATA team /shared/bobs"
        await ann.done(b"SETACL team bob@example.test l")
        await annotate(ann, b"team", b'/shared/a "3"')
        assert await ann_elsewhere.line() == b"* METADATA team /shared/a"
        await silence(bob)
        await silence(bob_elsewhere)


async def test_who_is_no_party_to_a_folder_hears_nothing(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await ann.done(b"CREATE team")
        for group in (b"personal", b"subscribed", b"mailboxes (team " + TEAM + b")", b"subtree " + TEAM):
            await bob.done(b"NOTIFY SET (" + group + b" (MailboxMetadataChange ServerMetadataChange))")
            for mailbox in (b"team", b"INBOX"):
                await annotate(ann, mailbox, b'/shared/a "%b"' % group[:4], b'/private/a "%b"' % group[:4])
            await annotate(ann, b'""', b'/private/vendor/a "%b"' % group[:4])
            await silence(bob)


async def test_an_owner_who_may_not_read_a_folder_is_not_told_of_it(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await ann.done(b"CREATE team")
        await ann.done(b"SETACL team bob@example.test lrw")
        await ann.done(b"SETACL team ann@example.test lwa")
        await ann.done(OF_FOLDERS)
        await annotate(bob, TEAM, b'/shared/a "1"')
        await silence(ann)
        await ann.done(b"SETACL team ann@example.test lrwa")
        await annotate(bob, TEAM, b'/shared/b "1"')
        assert await ann.line() == b"* METADATA team /shared/b"


async def test_annotations_of_a_folder_made_meanwhile_are_told_and_of_one_made_anew_no_old_ones(
    port: int,
) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(b"NOTIFY SET (personal (MailboxName MailboxMetadataChange))")
        await actor.done(b"CREATE new")
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" new'
        await annotate(actor, b"new", b'/private/a "1"')
        assert await watcher.line() == b"* METADATA new /private/a"
        await actor.done(b"RENAME new newer")
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" newer ("OLDNAME" (new))'
        await actor.done(b"DELETE newer")
        assert await watcher.line() == b'* LIST (\\NonExistent) "/" newer'
        await actor.done(b"CREATE newer")
        assert await watcher.line() == b'* LIST (\\HasNoChildren) "/" newer'
        await silence(watcher)


async def test_names_of_mailboxes_are_written_as_the_session_reads_them(port: int) -> None:
    async with member(port) as plain, member(port) as utf8, member(port) as actor:
        await actor.done(b"CREATE Entw&APw-rfe")
        await utf8.done(b"ENABLE IMAP4rev2")
        for talk in (plain, utf8):
            await talk.done(OF_FOLDERS)
        await annotate(actor, b"Entw&APw-rfe", b'/private/a "1"')
        assert await plain.line() == b"* METADATA Entw&APw-rfe /private/a"
        assert await utf8.line() == '* METADATA "Entwürfe" /private/a'.encode()


async def test_a_long_list_is_told_by_several_responses(host: MailHost) -> None:
    settings = ImapSettings(max_metadata_entries=1_000)
    async with (
        host.listening(imap(host, settings), tls=False) as port,
        member(port) as watcher,
        member(port) as actor,
    ):
        await watcher.done(OF_FOLDERS)
        names = [b"/private/%03d" % number for number in range(250)]
        watcher.send(b"a APPEND Drafts {%d}\r\n" % len(MESSAGE))  # nothing is told before its end
        assert (await watcher.line()).startswith(b"+ ")
        for start in range(0, len(names), 100):
            await annotate(actor, b"INBOX", *(name + b' "x"' for name in names[start : start + 100]))
        watcher.send(MESSAGE + b"\r\n")
        lines = (await watcher.replies())[:-1]
        assert [len(line.split()) - 3 for line in lines] == [100, 100, 50]
        assert [name for line in lines for name in line.split()[3:]] == names


async def test_a_burst_is_told_by_a_handful_of_responses(port: int) -> None:
    async with member(port) as watcher, member(port) as actor:
        await watcher.done(OF_FOLDERS)
        for number in range(300):
            actor.send(b'a SETMETADATA INBOX (/private/a "%d")\r\n' % number)
        for _ in range(300):
            assert await actor.line() == b"a OK Setmetadata completed"
        await annotate(actor, b"INBOX", b'/private/last "x"')
        lines = [await watcher.line()]
        while b"/private/last" not in lines[-1]:
            lines.append(await watcher.line())
        assert len(lines) < 150


async def test_news_that_were_missed_are_told_and_removals_as_far_as_they_are_remembered(
    host: MailHost, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "REMOVED_KEPT", 2)
    async with member(port) as watcher, member(port) as actor:
        await annotate(actor, b"INBOX", *(b'/private/%d "x"' % number for number in range(5)))
        await watcher.done(OF_ALL)
        watcher.send(b"a APPEND Drafts {%d}\r\n" % len(MESSAGE))  # nothing is told before its end
        assert (await watcher.line()).startswith(b"+ ")
        for number in range(4):
            await annotate(actor, b"INBOX", b"/private/%d NIL" % number)
        await annotate(actor, b"INBOX", b'/private/new "x"')
        host.runtime.bus.publish(NewsMissed())
        watcher.send(MESSAGE + b"\r\n")
        assert (await watcher.replies())[0] == b"* METADATA INBOX /private/2 /private/3 /private/new"
        rows = await host.runtime.database.read(all_metadata)
        assert [row[0] for row in rows] == ["/private/2", "/private/3", "/private/4", "/private/new"]


async def all_metadata(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT entry FROM metadata ORDER BY entry")


async def test_removed_entries_are_not_shown_and_do_not_count(any_host: MailHost) -> None:
    settings = ImapSettings(max_metadata_entries=1)
    async with any_host.listening(imap(any_host, settings), tls=False) as port, member(port) as talk:
        for name in (b"/private/a", b"/private/b", b"/shared/a", b"/shared/b", b"/private/a"):
            await annotate(talk, b"INBOX", name + b' "x"')
            assert await talk.done(b"GETMETADATA (DEPTH infinity) INBOX (/private /shared)") == [
                b"* METADATA INBOX (" + name + b' "x")'
            ]
            lines = await talk.done(b'LIST "" INBOX RETURN (METADATA (' + name + b" /private/none))")
            assert lines[1:] == [b"* METADATA INBOX (" + name + b' "x" /private/none NIL)']
            await annotate(talk, b"INBOX", name + b" NIL")
            assert await talk.done(b"GETMETADATA (DEPTH 1) INBOX (/private /shared)") == []


class FullDatabase:
    """A database that can be read, and not written to."""

    def __init__(self, host: MailHost) -> None:
        self._database = host.runtime.database
        self.is_full = False

    async def read(self, function: Any, *arguments: Any, **options: Any) -> Any:
        return await self._database.read(function, *arguments, **options)

    async def write(self, function: Any, *arguments: Any, **options: Any) -> Any:
        if self.is_full:
            raise StorageFullError
        return await self._database.write(function, *arguments, **options)


async def test_nothing_is_told_of_what_was_refused_or_failed(host: MailHost) -> None:
    full: Any = FullDatabase(host)
    runtime = dataclasses.replace(host.runtime, database=full, capabilities=Capabilities())
    settings = ImapSettings(max_metadata_bytes=10, max_metadata_entries=3)
    events: list[FolderChanged] = []
    async with (
        host.listening(imap(dataclasses.replace(host, runtime=runtime), settings), tls=False) as port,
        member(port) as watcher,
        member(port) as actor,
    ):
        await watcher.done(OF_ALL)
        host.runtime.bus.subscribe(FolderChanged, events.append)
        await actor.refused(b'SETMETADATA INBOX (/private/a "1" /private/b "12345678901")')
        await actor.refused(b'SETMETADATA INBOX (/private/a "" /private/b "" /private/c "" /private/d "")')
        await actor.refused(b'SETMETADATA "" (/shared/comment "1" /private/a "")')
        full.is_full = True
        await actor.refused(b'SETMETADATA INBOX (/private/a "1")')
        full.is_full = False
        await silence(watcher)
        assert events == []
        await annotate(actor, b"INBOX", b'/private/a "1"')
        assert await watcher.line() == b"* METADATA INBOX /private/a"


async def test_without_notify_nothing_is_told_and_enable_does_not_know_metadata(port: int) -> None:
    async with member(port, select=b"INBOX") as talk, member(port) as actor:
        assert await talk.done(b"ENABLE METADATA") == [b"* ENABLED"]
        await talk.done(b"GETMETADATA INBOX /private/a")
        await annotate(actor, b"INBOX", b'/private/a "1"')
        await silence(talk)
