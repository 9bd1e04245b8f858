"""IMAP4rev2 and UTF8=ACCEPT: what a client is told before and after it enables them (RFC 9051, RFC 6855)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.modules.mail.imap.client import ImapTalk, member, stranger

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
COMPOSED = "Entwürfe".encode()
DECOMPOSED = "Entwu\u0308rfe".encode()


@asynccontextmanager
async def rev2(port: int, select: bytes = b"") -> AsyncIterator[ImapTalk]:
    """Connect, log in and enable IMAP4rev2, and perhaps select a folder."""
    async with member(port) as talk:
        assert await talk.done(b"ENABLE IMAP4rev2") == [b"* ENABLED IMAP4rev2"]
        if select:
            await talk.done(b"SELECT " + select)
        yield talk


async def test_both_revisions_are_announced_before_and_after_login(port: int) -> None:
    async with stranger(port) as talk:
        (before,) = await talk.done(b"CAPABILITY")
        assert before.startswith(b"* CAPABILITY IMAP4rev1 IMAP4rev2 ")
        assert b"UTF8=ACCEPT" not in before
        await talk.log_in()
        (after,) = await talk.done(b"CAPABILITY")
        assert after.startswith(b"* CAPABILITY IMAP4rev1 IMAP4rev2 ")
        assert b" UTF8=ACCEPT" in after


async def test_enabling_tells_what_is_on_in_its_own_spelling(port: int) -> None:
    async with member(port) as talk:
        assert await talk.done(b"ENABLE imap4REV2 X-NONE utf8=accept") == [b"* ENABLED UTF8=ACCEPT IMAP4rev2"]
        assert await talk.done(b"ENABLE X-NONE") == [b"* ENABLED"]
        assert await talk.done(b"ENABLE QRESYNC CONDSTORE") == [b"* ENABLED CONDSTORE QRESYNC"]


async def test_selecting_lists_the_mailbox_and_counts_nothing_as_recent(any_port: int) -> None:
    async with member(any_port) as old:
        await old.append(b"INBOX", MESSAGE)
        async with rev2(any_port) as talk:
            lines = await talk.done(b"SELECT inbox")
            assert b"* 1 EXISTS" in lines
            assert b'* LIST () "/" INBOX' in lines
            assert not any(b"RECENT" in line or b"UNSEEN" in line for line in lines)
            assert await talk.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS ())"]
            lines = await talk.done(b"SELECT Sent")
            assert lines[0] == b"* OK [CLOSED] Previous mailbox closed"
            assert b'* LIST (\\Sent) "/" Sent' in lines
        lines = await old.done(b"SELECT INBOX")
        assert b"* 1 RECENT" in lines
        assert b"* OK [UNSEEN 1] First unseen" in lines
        assert not any(line.startswith(b"* LIST") for line in lines)


async def test_new_mail_and_changed_flags_are_told_with_uid_and_without_recency(any_port: int) -> None:
    async with rev2(any_port, select=b"INBOX") as talk, member(any_port, select=b"INBOX") as old:
        await old.append(b"INBOX", MESSAGE)
        assert await talk.done(b"NOOP") == [b"* 1 EXISTS"]
        await old.done(b"STORE 1 +FLAGS ($Forwarded)")
        lines = await talk.done(b"NOOP")
        assert lines[-1] == b"* 1 FETCH (UID 1 FLAGS ($Forwarded))"
        assert await talk.done(b"STORE 1 +FLAGS (\\Seen)") == [b"* 1 FETCH (UID 1 FLAGS (\\Seen $Forwarded))"]


async def test_enabling_while_a_mailbox_is_open_ends_recency_there(port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX")
        assert await talk.done(b"SEARCH RECENT") == [b"* SEARCH 1"]
        await talk.done(b"ENABLE IMAP4rev2")
        assert await talk.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS ())"]
        assert await talk.done(b"SEARCH RECENT") == [b'* ESEARCH (TAG "a")']


async def test_search_answers_by_esearch(any_port: int) -> None:
    async with rev2(any_port) as talk:
        for _ in range(3):
            await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX")
        assert await talk.done(b"SEARCH ALL") == [b'* ESEARCH (TAG "a") ALL 1:3']
        assert await talk.done(b"UID SEARCH 2") == [b'* ESEARCH (TAG "a") UID ALL 2']
        assert await talk.done(b"SEARCH RETURN () SEEN") == [b'* ESEARCH (TAG "a")']
        assert await talk.done(b"SEARCH RETURN (MIN COUNT) ALL") == [b'* ESEARCH (TAG "a") MIN 1 COUNT 3']


@pytest.mark.parametrize("feature", [b"IMAP4rev2", b"UTF8=ACCEPT"])
async def test_names_are_utf8_once_enabled_and_modified_utf7_before(any_port: int, feature: bytes) -> None:
    async with member(any_port) as old, member(any_port) as talk:
        await talk.done(b"ENABLE " + feature)
        await talk.done(b'CREATE "' + COMPOSED + b'"')
        assert await talk.done(b'LIST "" "E*"') == [b'* LIST (\\HasNoChildren) "/" "' + COMPOSED + b'"']
        await talk.done(b'SUBSCRIBE "' + COMPOSED + b'"')
        assert await talk.done(b'LSUB "" "E*"') == [b'* LSUB () "/" "' + COMPOSED + b'"']
        assert await talk.done(b'STATUS "' + COMPOSED + b'" (MESSAGES)') == [
            b'* STATUS "' + COMPOSED + b'" (MESSAGES 0)'
        ]
        assert await old.done(b'LIST "" "E*"') == [b'* LIST (\\HasNoChildren) "/" Entw&APw-rfe']
        assert (await old.refused(b'SELECT "' + COMPOSED + b'"')).startswith(b"NO [CANNOT]")
        await old.done(b"SELECT Entw&APw-rfe")
        await talk.done(b'SELECT "' + COMPOSED + b'"')
        # "&" is itself in UTF-8, and begins an encoded run in modified UTF-7
        await talk.done(b'CREATE "R&D"')
        assert await talk.done(b'LIST "" "R*"') == [b'* LIST (\\HasNoChildren) "/" R&D']
        assert await old.done(b'LIST "" "R*"') == [b'* LIST (\\HasNoChildren) "/" R&-D']
        for wrong in (b"\xff", b"\xc3", b"a\xc2\x85", b"\xe2\x80\xa8", b"\xed\xa0\x80"):
            assert (await talk.refused(b'CREATE "' + wrong + b'"')).startswith(b"NO [CANNOT]")


async def test_names_are_composed_and_a_rev2_client_is_told_so(any_port: int) -> None:
    async with rev2(any_port) as talk, member(any_port) as old:
        told = b'"/" "' + COMPOSED + b'" ("OLDNAME" ("' + DECOMPOSED + b'"))'
        assert await talk.done(b'CREATE "' + DECOMPOSED + b'"') == [b"* LIST () " + told]
        assert b"* LIST () " + told in await talk.done(b'SELECT "' + DECOMPOSED + b'"')
        assert await talk.done(b'LIST "" "' + DECOMPOSED[:-2] + b'*"') == [
            b'* LIST (\\HasNoChildren) "/" "' + COMPOSED + b'"'
        ]
        assert (await talk.refused(b'CREATE "' + COMPOSED + b'"')).startswith(b"NO [ALREADYEXISTS]")
        await talk.done(b"UNSELECT")
        assert await talk.done(b'DELETE "' + DECOMPOSED + b'"') == [b"* LIST (\\NonExistent) " + told]
        assert await old.done(b"CREATE Entwu&Awg-rfe") == []
        assert await old.done(b'LIST "" "E*"') == [b'* LIST (\\HasNoChildren) "/" Entw&APw-rfe']


async def test_renaming_lists_the_old_name(any_port: int) -> None:
    async with rev2(any_port) as talk, member(any_port) as old:
        await old.done(b"CREATE one")
        assert await old.done(b"RENAME one two") == []
        assert await talk.done(b"RENAME two a/three") == [b'* LIST () "/" a/three ("OLDNAME" (two))']


async def test_what_rev2_dropped_does_no_harm(port: int) -> None:
    async with rev2(port, select=b"INBOX") as talk:
        await talk.done(b"CHECK")
        assert await talk.done(b'LSUB "" INBOX') == [b'* LSUB () "/" INBOX']
        assert await talk.done(b"STATUS INBOX (RECENT MESSAGES)") == [b"* STATUS INBOX (RECENT 0 MESSAGES 0)"]
        await talk.append(b"INBOX", MESSAGE)
        lines = await talk.done(b"FETCH 1 (RFC822.HEADER RFC822.TEXT)")
        assert lines[0].startswith(
            b"* 1 FETCH (RFC822.HEADER {14}\r\nSubject: x\r\n\r\n RFC822.TEXT {6}\r\nbody\r\n"
        )


async def test_status_tells_size_and_deleted_also_of_the_open_mailbox(any_port: int) -> None:
    async with rev2(any_port, select=b"INBOX") as talk:
        await talk.append(b"INBOX", MESSAGE, b"(\\Deleted) ")
        assert await talk.done(b"STATUS INBOX (SIZE DELETED UNSEEN)") == [
            b"* STATUS INBOX (SIZE %d DELETED 1 UNSEEN 1)" % len(MESSAGE)
        ]
        assert await talk.done(b'LIST "" INBOX RETURN (STATUS (SIZE DELETED))') == [
            b'* LIST (\\HasNoChildren) "/" INBOX',
            b"* STATUS INBOX (SIZE %d DELETED 1)" % len(MESSAGE),
        ]


async def test_common_keywords_are_kept_as_they_are(port: int) -> None:
    keywords = b"$Forwarded $Junk $MDNSent $NotJunk $Phishing"
    async with rev2(port) as talk:
        await talk.append(b"INBOX", MESSAGE, b"(" + keywords + b") ")
        lines = await talk.done(b"SELECT INBOX")
        assert any(keywords in line for line in lines)
        (line,) = await talk.done(b"FETCH 1 FLAGS")
        assert line == b"* 1 FETCH (FLAGS (" + keywords + b"))"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"CREATE Sent", b"ALREADYEXISTS"),
        (b"RENAME Junk Sent", b"ALREADYEXISTS"),
        (b"RENAME none any", b"NONEXISTENT"),
        (b"DELETE none", b"NONEXISTENT"),
        (b"SELECT none", b"NONEXISTENT"),
        (b"STATUS none (MESSAGES)", b"NONEXISTENT"),
        (b"CREATE a//b", b"CANNOT"),
        (b"CREATE x (USE (\\Sent))", b"USEATTR"),
        (b"COPY 1 none", b"TRYCREATE"),
        (b"MOVE 1 none", b"TRYCREATE"),
        (b"DELETE only", b"HASCHILDREN"),
        (b"LOGIN ann@example.test x", b""),
    ],
)
async def test_refusals_say_why_in_a_code(port: int, command: bytes, code: bytes) -> None:
    async with rev2(port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"CREATE only/child")
        await talk.done(b"SELECT INBOX")
        refused = await talk.refused(command)
        assert refused.startswith(b"NO [" + code + b"] " if code else b"BAD ")


async def test_move_tells_where_the_messages_went(port: int) -> None:
    async with rev2(port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX")
        for command in (b"COPY 1 Sent", b"UID COPY 1 Sent"):
            assert b" OK [COPYUID " in (await talk.ask(command))[-1]
        lines = await talk.done(b"UID MOVE 1 Sent")
        assert lines[0].startswith(b"* OK [COPYUID ")
        assert lines[1] == b"* 1 EXPUNGE"


async def test_a_message_in_utf8_is_appended_and_read_as_it_is(port: int) -> None:
    message = "Subject: Grüße\r\nFrom: ü@bücher.example\r\n\r\nhallo\r\n".encode()
    async with member(port) as talk, member(port) as old:
        await talk.done(b"ENABLE UTF8=ACCEPT")
        assert (await talk.append(b"INBOX", message)).startswith(b"a OK")
        for client in (talk, old):
            await client.done(b"SELECT INBOX")
            (line,) = await client.done(b"FETCH 1 BODY.PEEK[]")
            assert line.endswith(b"{%d}\r\n" % len(message) + message + b")")
            lines = await client.done(b'SEARCH SUBJECT "' + "grüße".encode() + b'"')
            assert lines == [b"* SEARCH 1"]
        assert (await talk.refused(b"SEARCH CHARSET UTF-8 ALL")).startswith(b"BAD ")
        assert await old.done(b"SEARCH CHARSET UTF-8 ALL") == [b"* SEARCH 1"]


async def test_appending_under_a_name_spelled_otherwise_tells_the_one_spelling(any_port: int) -> None:
    async with rev2(any_port) as talk:
        await talk.done(b'CREATE "' + COMPOSED + b'"')
        talk.send(b'a APPEND "' + DECOMPOSED + b'" {%d+}\r\n%b\r\n' % (len(MESSAGE), MESSAGE))
        listed, done = await talk.replies()
        assert listed == b'* LIST () "/" "' + COMPOSED + b'" ("OLDNAME" ("' + DECOMPOSED + b'"))'
        assert done.startswith(b"a OK [APPENDUID ")
