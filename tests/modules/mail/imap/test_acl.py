"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS, and the names of shared folders, octet by octet."""

from collections.abc import AsyncIterator

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import remove_mailbox, set_mailbox_disabled
from freehold.modules.mail.folders import access
from freehold.modules.mail.folders import share as sharing
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import imap, member
from tests.modules.mail.imap.neighbours import ANN, BOB, CY, MESSAGE, ZOE, add_neighbours, of, share


@pytest.fixture
async def any_port(any_host: MailHost) -> AsyncIterator[int]:
    """The port of a host with people of two owners, once on each engine."""
    await add_neighbours(any_host)
    async with any_host.listening(imap(any_host), tls=False) as opened:
        yield opened


@pytest.fixture
async def port(host: MailHost) -> AsyncIterator[int]:
    """The same on SQLite."""
    await add_neighbours(host)
    async with host.listening(imap(host), tls=False) as opened:
        yield opened


async def test_a_list_is_set_read_and_removed(any_port: int) -> None:
    async with member(any_port) as ann:
        assert await ann.done(b"MYRIGHTS INBOX") == [b"* MYRIGHTS INBOX lrswipkxteacd"]
        assert await ann.done(b"GETACL INBOX") == [b"* ACL INBOX ann@example.test lrswipkxteacd"]
        await ann.done(b"SETACL INBOX bob@example.test lrs")
        await ann.done(b"SETACL INBOX Bob@Example.test +kt")
        await ann.done(b"SETACL INBOX anyone l")
        await ann.done(b"SETACL INBOX -bob@example.test w")
        await ann.done(b"SETACL INBOX bob@example.test -s")
        assert await ann.done(b"GETACL INBOX") == [
            b"* ACL INBOX ann@example.test lrswipkxteacd -bob@example.test w anyone l bob@example.test lrktcd"
        ]
        await ann.done(b'SETACL INBOX bob@example.test ""')
        await ann.done(b"DELETEACL INBOX anyone")
        await ann.done(b"DELETEACL INBOX anyone")
        await ann.done(b"DELETEACL INBOX -bob@example.test")
        assert await ann.done(b"GETACL INBOX") == [b"* ACL INBOX ann@example.test lrswipkxteacd"]


async def test_obsolete_rights_stand_for_their_members(port: int) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await ann.done(b"SETACL INBOX bob@example.test lrcd")
        assert await bob.done(b"MYRIGHTS " + of(ANN, b"INBOX")) == [
            b'* MYRIGHTS "Other Users/ann@example.test/INBOX" lrkxtecd'
        ]


async def test_rights_that_can_be_given_are_listed(port: int) -> None:
    async with member(port) as ann:
        assert await ann.done(b"LISTRIGHTS INBOX Bob@example.test") == [
            b'* LISTRIGHTS INBOX Bob@example.test "" l r s w i p k x t e a c d'
        ]
        assert await ann.done(b"LISTRIGHTS INBOX owner") == [
            b'* LISTRIGHTS INBOX owner "la" r s w i p k x t e c d'
        ]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"SETACL INBOX bob@example.test lrQ", b"BAD"),
        (b"SETACL INBOX bob@example.test lrq", b"BAD"),
        (b"SETACL INBOX bob@example.test 0", b"BAD"),
        (b"SETACL INBOX bob@example.test +-l", b"BAD"),
        (b'SETACL INBOX "" l', b"BAD"),
        (b"SETACL INBOX bob@example.test", b"BAD"),
        (b"SETACL INBOX nobody@example.test l", b"NO [CANNOT]"),
        (b"SETACL INBOX - l", b"NO [CANNOT]"),
        (b"SETACL INBOX --anyone l", b"NO [CANNOT]"),
        (b"LISTRIGHTS INBOX nobody@example.test", b"NO [CANNOT]"),
        (b"DELETEACL INBOX nobody@example.test", b"NO [CANNOT]"),
        (b"GETACL none", b"NO [NONEXISTENT]"),
        (b"MYRIGHTS none", b"NO [NONEXISTENT]"),
        (b"SETACL none anyone l", b"NO [NONEXISTENT]"),
        (b'MYRIGHTS "Other Users"', b"NO [NONEXISTENT]"),
        (b'SELECT "Other Users/ann@example.test/INBOX"', b"NO [NONEXISTENT]"),
        (b'CREATE "Other Users"', b"NO [NONEXISTENT]"),
        (b'CREATE "Other Users/mine"', b"NO [NONEXISTENT]"),
        (b'CREATE "Other Users/ann@example.test/mine"', b"NO [NONEXISTENT]"),
        (b'RENAME Sent "Other Users/x@y.test/Sent"', b"NO [NONEXISTENT]"),
    ],
)
async def test_each_refusal_has_its_code(port: int, command: bytes, answer: bytes) -> None:
    async with member(port) as ann:
        assert (await ann.refused(command)).startswith(answer)


async def test_the_owner_keeps_what_mends_the_list(port: int) -> None:
    async with member(port) as ann:
        await ann.done(b"CREATE kept")
        await ann.done(b"SETACL kept owner lr")
        assert await ann.done(b"MYRIGHTS kept") == [b"* MYRIGHTS kept lra"]
        assert (await ann.refused(b"DELETE kept")).startswith(b"NO [NOPERM]")
        await ann.done(b"SETACL kept -owner la")
        await ann.done(b"SETACL kept ann@example.test +x")
        await ann.done(b"DELETE kept")


async def test_an_entry_of_ones_own_stands_before_that_of_anyone(port: int) -> None:
    async with member(port) as ann, member(port, BOB) as bob, member(port, CY) as cy:
        await share(ann, b"a", b"anyone", b"lrsw")
        await share(ann, b"a", b"bob@example.test", b"lr")
        await share(ann, b"a", b"-anyone", b"w")
        assert (await bob.done(b"MYRIGHTS " + of(ANN, b"a")))[0].endswith(b" lr")
        assert (await cy.done(b"MYRIGHTS " + of(ANN, b"a")))[0].endswith(b" lrs")
        assert await ann.done(b"MYRIGHTS a") == [b"* MYRIGHTS a lrswipkxteacd"]


async def test_shared_folders_are_listed_by_their_people(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await share(ann, b"deep/er", b"anyone", b"lr")
        await share(ann, b"hidden", b"anyone", b"r")
        await ann.append(b"deep/er", MESSAGE)
        assert await bob.done(b'LIST "" "Other*"') == [
            b'* LIST (\\Noselect \\HasChildren) "/" "Other Users"',
            b'* LIST (\\Noselect \\HasChildren) "/" "Other Users/ann@example.test"',
            b'* LIST (\\Noselect \\HasChildren) "/" "Other Users/ann@example.test/deep"',
            b'* LIST (\\HasNoChildren) "/" "Other Users/ann@example.test/deep/er"',
        ]
        assert (await bob.done(b'LIST "" %'))[-3:] == [
            b'* LIST (\\Noselect \\HasChildren) "/" "Other Users"',
            b'* LIST (\\HasNoChildren \\Sent) "/" Sent',
            b'* LIST (\\HasNoChildren \\Trash) "/" Trash',
        ]
        assert await bob.done(
            b'LIST "Other Users/ann@example.test/" d%/% RETURN (MYRIGHTS STATUS (UNSEEN))'
        ) == [
            b'* LIST (\\HasNoChildren) "/" "Other Users/ann@example.test/deep/er"',
            b'* MYRIGHTS "Other Users/ann@example.test/deep/er" lr',
            b'* STATUS "Other Users/ann@example.test/deep/er" (UNSEEN 1)',
        ]
        assert await bob.done(b'LIST "" INBOX RETURN (MYRIGHTS)') == [
            b'* LIST (\\HasNoChildren) "/" INBOX',
            b"* MYRIGHTS INBOX lrswipkxteacd",
        ]
        await bob.done(b"SELECT " + of(ANN, b"hidden"))
        assert await ann.done(b'LIST "" Other*') == []


async def test_subscriptions_to_shared_folders_are_the_readers(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await share(ann, b"a", BOB, b"lr")
        await bob.done(b'SUBSCRIBE "Other Users/Ann@example.test/a"')
        assert await bob.done(b'LSUB "" "Other*"') == [b'* LSUB () "/" "Other Users/ann@example.test/a"']
        assert await bob.done(b'LIST (SUBSCRIBED) "" "Other*"') == [
            b'* LIST (\\HasNoChildren \\Subscribed) "/" "Other Users/ann@example.test/a"'
        ]
        await ann.done(b"DELETEACL a bob@example.test")
        assert await bob.done(b'LIST (SUBSCRIBED) "" "Other*"') == [
            b'* LIST (\\NonExistent \\Subscribed) "/" "Other Users/ann@example.test/a"'
        ]
        await bob.done(b"UNSUBSCRIBE " + of(ANN, b"a"))
        assert await bob.done(b'LSUB "" "Other*"') == []


async def test_a_new_folder_inherits_and_a_renamed_one_keeps(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await share(ann, b"team", BOB, b"lrkx")
        await bob.done(b"CREATE " + of(ANN, b"team/new/er"))
        assert (await bob.done(b"MYRIGHTS " + of(ANN, b"team/new/er")))[0].endswith(b" lrkxc")
        await bob.done(b"RENAME " + of(ANN, b"team/new/er") + b" " + of(ANN, b"team/newest"))
        assert await ann.done(b'LIST "" team*') == [
            b'* LIST (\\HasChildren) "/" team',
            b'* LIST (\\HasNoChildren) "/" team/newest',
        ]
        await ann.done(b"RENAME team/newest elsewhere")
        assert (await ann.done(b"GETACL elsewhere"))[0].endswith(b" bob@example.test lrkxc")
        await bob.done(b"DELETE " + of(ANN, b"elsewhere"))
        assert (await bob.refused(b"RENAME " + of(ANN, b"team") + b" mine")).startswith(b"NO [CANNOT]")


async def test_across_owners_only_an_address_shares(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, ZOE) as zoe:
        await share(ann, b"a", b"anyone", b"lrswipkxtea")
        assert await zoe.done(b'LIST "" "Other*"') == []
        await share(ann, b"b", ZOE, b"lr")
        assert (await zoe.done(b'LIST "" "Other*"'))[-1].endswith(b'"Other Users/ann@example.test/b"')
        assert (await zoe.done(b"MYRIGHTS " + of(ANN, b"b")))[0].endswith(b" lr")


EVERY_COMMAND = (
    b'SELECT "%b"',
    b'EXAMINE "%b"',
    b'STATUS "%b" (MESSAGES)',
    b'CREATE "%b"',
    b'CREATE "%b/x"',
    b'DELETE "%b"',
    b'RENAME "%b" mine',
    b'RENAME INBOX "%b"',
    b'SUBSCRIBE "%b"',
    b'GETACL "%b"',
    b'SETACL "%b" anyone lr',
    b'DELETEACL "%b" anyone',
    b'LISTRIGHTS "%b" anyone',
    b'MYRIGHTS "%b"',
    b'APPEND "%b" {1+}\r\nx',
    b'COPY 1 "%b"',
    b'MOVE 1 "%b"',
    b'GETMETADATA "%b" /shared/comment',
    b'SETMETADATA "%b" (/private/comment NIL)',
)


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=lambda command: command.split(b"\r")[0].decode())
async def test_owners_never_see_each_other(port: int, command: bytes) -> None:
    """Whatever `anyone` may do with a folder, to a stranger it is like one that does not exist."""
    async with member(port) as ann, member(port, ZOE) as zoe:
        await share(ann, b"a", b"anyone", b"lrswipkxtea")
        await zoe.append(b"INBOX", MESSAGE)
        answers = []
        for name in (b"a", b"none"):
            await zoe.done(b"SELECT INBOX")
            answers.append(await zoe.refused(command % (b"Other Users/" + ANN + b"/" + name)))
        assert answers[0] == answers[1]
        assert answers[0].startswith((b"NO [NONEXISTENT]", b"NO [TRYCREATE]"))
        assert await ann.done(b"STATUS a (MESSAGES)") == [b"* STATUS a (MESSAGES 0)"]
        assert await zoe.done(b'LIST "" "Other*"') == []
        assert await zoe.done(b'LSUB "" "Other*"') == []


async def rows_left(tx: Transaction) -> list[int]:
    """Return how many rows each table of sharing has."""
    counts = []
    for table in ("folder_right", "folder_reader", "message_seen"):
        row = await tx.fetch_one(f"SELECT COUNT(*) FROM {table}")
        assert row is not None
        counts.append(row[0])
    return counts


async def test_a_removed_person_shares_nothing_and_is_in_no_list(host: MailHost, port: int) -> None:
    database = host.runtime.database
    async with member(port) as ann, member(port, BOB) as bob:
        await share(ann, b"a", BOB, b"lrs")
        await share(bob, b"b", ANN, b"lrs")
        await ann.append(b"a", MESSAGE)
        await bob.done(b"SELECT " + of(ANN, b"a"))
        await bob.done(b"STORE 1 +FLAGS (\\Seen)")
        await database.write(remove_mailbox, host.runtime.blobs, HOST_ADMINISTRATOR, BOB.decode())
        assert await ann.done(b'LIST "" "Other*"') == []
        assert await ann.done(b"GETACL a") == [b"* ACL a ann@example.test lrswipkxteacd"]
    assert await database.read(rows_left) == [0, 0, 0]


async def test_a_disabled_person_shares_nothing(host: MailHost, port: int) -> None:
    database = host.runtime.database
    async with member(port) as ann, member(port, BOB) as bob:
        await share(ann, b"a", BOB, b"lrs")
        await bob.done(b"SELECT " + of(ANN, b"a"))
        await database.write(
            set_mailbox_disabled, HOST_ADMINISTRATOR, ANN.decode(), is_disabled=True, now_ms=1
        )
        bob.send(b"a FETCH 1:* FLAGS\r\n")
        assert (await bob.rest()).startswith(b"* BYE")
    async with member(port, BOB) as bob:
        assert await bob.done(b'LIST "" "Other*"') == []
        assert (await bob.refused(b"SELECT " + of(ANN, b"a"))).startswith(b"NO [NONEXISTENT]")


async def test_a_disabled_person_is_told_nothing_more_of_what_others_share(
    any_host: MailHost, any_port: int
) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await share(ann, b"a", BOB, b"lrs")
        await bob.done(b"SELECT " + of(ANN, b"a"))
        bob.send(b"a IDLE\r\n")
        assert await bob.line() == b"+ idling"
        await any_host.runtime.database.write(
            set_mailbox_disabled, HOST_ADMINISTRATOR, BOB.decode(), is_disabled=True, now_ms=1
        )
        await ann.append(b"a", MESSAGE)
        assert await bob.rest() == b"* BYE the mailbox is no longer available\r\n"


async def test_strangers_cannot_crowd_a_list(any_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob, member(any_port, ZOE) as zoe:
        await share(zoe, b"spam", BOB, b"lr")
        await share(ann, b"work", b"anyone", b"lr")
        names = [line.rpartition(b'"Other Users/')[2] for line in await bob.done(b'LIST "" "Other*"')]
        assert names[-2:] == [b'zoe@zoe.test"', b'zoe@zoe.test/spam"']
        monkeypatch.setattr(access, "MAX_LISTED_ENTRIES", 2)
        names = [line.rpartition(b'"Other Users/')[2] for line in await bob.done(b'LIST "" "Other*"')]
        assert names[1:] == [b'ann@example.test"', b'ann@example.test/work"']


async def test_a_list_is_bounded(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MAX_ENTRIES", 1)
    async with member(port) as ann:
        await ann.done(b"SETACL INBOX bob@example.test lr")
        assert (await ann.refused(b"SETACL INBOX anyone l")).startswith(b"NO [LIMIT]")
        await ann.done(b"SETACL INBOX bob@example.test lrs")
        await ann.done(b'SETACL INBOX anyone ""')
