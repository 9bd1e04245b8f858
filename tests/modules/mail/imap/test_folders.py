"""CREATE, DELETE, RENAME, SUBSCRIBE, LIST, LSUB, STATUS, NAMESPACE."""

import pytest

from tests.mail_host import MailHost
from tests.modules.mail.imap.client import member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


async def test_a_new_mailbox_has_its_folders_with_their_uses(any_port: int) -> None:
    async with member(any_port) as talk:
        assert await talk.done(b'LIST "" *') == [
            b'* LIST (\\HasNoChildren \\Archive) "/" Archive',
            b'* LIST (\\HasNoChildren \\Drafts) "/" Drafts',
            b'* LIST (\\HasNoChildren) "/" INBOX',
            b'* LIST (\\HasNoChildren \\Junk) "/" Junk',
            b'* LIST (\\HasNoChildren \\Sent) "/" Sent',
            b'* LIST (\\HasNoChildren \\Trash) "/" Trash',
        ]
        assert await talk.done(b'LIST "" ""') == [b'* LIST (\\Noselect) "/" ""']
        assert await talk.done(b"NAMESPACE") == [b'* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL']
        assert await talk.done(b'LIST (SPECIAL-USE) "" S%') == [b'* LIST (\\HasNoChildren \\Sent) "/" Sent']


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"CREATE inbox", b"NO [ALREADYEXISTS]"),
        (b"CREATE a//b", b"NO [CANNOT]"),
        (b"CREATE a (USE (\\Sent))", b"NO [USEATTR]"),
        (b"CREATE a (USE (\\All))", b"NO [USEATTR]"),
        (b"CREATE a (USE (\\Junk \\Trash))", b"NO [USEATTR]"),
        (b"DELETE INBOX", b"NO [NOPERM]"),
        (b"DELETE none", b"NO [NONEXISTENT]"),
        (b"DELETE deep", b"NO [HASCHILDREN]"),
        (b"RENAME none other", b"NO [NONEXISTENT]"),
        (b"RENAME Sent Trash", b"NO [ALREADYEXISTS]"),
        (b"RENAME deep deep/er", b"NO [CANNOT]"),
        (b"SUBSCRIBE none", b"NO [NONEXISTENT]"),
        (b"STATUS none (MESSAGES)", b"NO [NONEXISTENT]"),
        (b"STATUS deep (MESSAGES)", b"NO [NONEXISTENT]"),
        (b"SELECT none", b"NO [NONEXISTENT]"),
        (b"SELECT deep", b"NO [NONEXISTENT]"),
        (b"APPEND none {5+}\r\nhello", b"NO [TRYCREATE]"),
        (b"APPEND deep {5+}\r\nhello", b"NO [NONEXISTENT]"),
        (b"APPEND INBOX {0+}\r\n", b"NO [TOOBIG]"),
        (b"APPEND INBOX hello", b"BAD"),
        (b"APPEND INBOX {99999999+}\r\n", b""),
    ],
)
async def test_each_refusal_has_its_code(port: int, command: bytes, answer: bytes) -> None:
    async with member(port) as talk:
        await talk.done(b"CREATE deep/er")
        if answer:
            assert (await talk.refused(command)).startswith(answer)
            await talk.done(b"NOOP")
        else:
            talk.send(b"a " + command + b"\r\n")
            assert b"* BYE" in await talk.rest()


async def test_a_folder_is_made_renamed_and_deleted(any_port: int) -> None:
    async with member(any_port) as talk:
        await talk.done(b"CREATE a/b/")
        await talk.done(b'CREATE "p&AOQA5A-"')
        assert await talk.done(b'LIST "" "p&AOQA5A-"') == [b'* LIST (\\HasNoChildren) "/" p&AOQA5A-']
        assert await talk.done(b'LIST "" a*') == [
            b'* LIST (\\Noselect \\HasChildren) "/" a',
            b'* LIST (\\HasNoChildren) "/" a/b',
        ]
        await talk.done(b"RENAME a c")
        assert await talk.done(b'LIST "" (a* c%)') == [b'* LIST (\\Noselect \\HasChildren) "/" c']
        await talk.done(b"DELETE c/b")
        assert await talk.done(b'LIST "" c*') == []


async def test_list_tells_status_in_the_same_breath(port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"Sent", MESSAGE, b"(\\Seen) ")
        await talk.append(b"Sent", MESSAGE)
        assert await talk.done(b'LIST "" S% RETURN (STATUS (MESSAGES UNSEEN SIZE UIDNEXT DELETED))') == [
            b'* LIST (\\HasNoChildren) "/" Sent',
            b"* STATUS Sent (MESSAGES 2 UNSEEN 1 SIZE 40 UIDNEXT 3 DELETED 0)",
        ]
        assert await talk.done(b"STATUS Sent (RECENT APPENDLIMIT)") == [
            b"* STATUS Sent (RECENT 2 APPENDLIMIT 52428800)"
        ]


async def test_subscriptions_are_names(port: int) -> None:
    async with member(port) as talk:
        await talk.done(b"CREATE a/b")
        assert await talk.done(b'LSUB "" a*') == []
        await talk.done(b"SUBSCRIBE a/b")
        assert await talk.done(b'LSUB "" %') == [
            b'* LSUB () "/" Archive',
            b'* LSUB () "/" Drafts',
            b'* LSUB () "/" INBOX',
            b'* LSUB () "/" Junk',
            b'* LSUB () "/" Sent',
            b'* LSUB () "/" Trash',
            b'* LSUB (\\Noselect) "/" a',
        ]
        assert await talk.done(b'LIST (SUBSCRIBED RECURSIVEMATCH) "" a') == [
            b'* LIST (\\Noselect \\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))'
        ]
        await talk.done(b"DELETE a/b")
        assert await talk.done(b'LIST (SUBSCRIBED) "" a/*') == [
            b'* LIST (\\NonExistent \\Subscribed) "/" a/b'
        ]
        await talk.done(b"UNSUBSCRIBE a/b")
        assert await talk.done(b'LIST (SUBSCRIBED) "" a*') == []


async def test_rename_of_inbox_moves_its_messages_before_the_eyes_of_a_session(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk:
        await talk.append(b"INBOX", MESSAGE)
        assert await talk.done(b"RENAME INBOX old") == [b"* 1 EXPUNGE", b"* 0 RECENT"]
        assert await talk.done(b"STATUS old (MESSAGES)") == [b"* STATUS old (MESSAGES 1)"]


async def test_a_deleted_folder_ends_the_sessions_that_show_it(port: int) -> None:
    async with member(port) as talk, member(port) as other:
        await talk.done(b"CREATE a")
        await talk.done(b"SELECT a")
        await other.done(b"SELECT a")
        (closed,) = await talk.done(b"DELETE a")
        assert closed.startswith(b"* OK [CLOSED]")
        await talk.refused(b"FETCH 1 FLAGS")
        other.send(b"a NOOP\r\n")
        assert (await other.rest()).startswith(b"* BYE")


async def test_nobody_sees_the_folders_of_another(host: MailHost, port: int) -> None:
    async with member(port) as ann, member(port, b"bob@example.test", b"INBOX") as bob:
        await ann.done(b"CREATE secret")
        await ann.append(b"secret", MESSAGE)
        await ann.append(b"INBOX", MESSAGE)
        assert await bob.done(b'LIST "" secret*') == []
        for command in (
            b"SELECT secret",
            b"STATUS secret (MESSAGES)",
            b"DELETE secret",
            b"RENAME secret mine",
            b"SUBSCRIBE secret",
            b"APPEND secret {1+}\r\nx",
        ):
            assert (await bob.refused(command)).startswith((b"NO [NONEXISTENT]", b"NO [TRYCREATE]"))
        await bob.done(b"SELECT INBOX")
        assert await bob.done(b"UID FETCH 1:* (FLAGS BODY[])") == []
        assert await bob.done(b"UID SEARCH TEXT body") == [b"* SEARCH"]
        assert await bob.done(b"UID STORE 1:* +FLAGS (\\Deleted)") == []
        assert await bob.done(b"EXPUNGE") == []
        assert await bob.done(b"UID COPY 1:* Trash") == []
        assert await bob.done(b"UID MOVE 1:* Trash") == []
    assert len(await host.messages_of("ann@example.test")) == 1
