"""FETCH, STORE, SEARCH, COPY, MOVE, EXPUNGE in one session."""

import pytest

from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, member

PLAIN = (
    b"From: Ann <ann@x.test>\r\nTo: bob@y.test\r\nSubject: hello\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nbody one\r\n"
)
FLAGS = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft"
PARTS = (
    b"From: =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\nSubject: parts\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n--b\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"R3LDvMOfZQ==\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\n\r\ninner body\r\n--b--\r\n"
)


async def fill(talk: ImapTalk, *messages: bytes) -> None:
    for message in messages:
        assert (await talk.append(b"INBOX", message, b'" 1-Feb-2026 12:00:00 +0100" ')).startswith(b"a OK")
    await talk.done(b"SELECT INBOX")


async def test_append_tells_the_uid_and_select_what_is_there(any_port: int) -> None:
    async with member(any_port) as talk:
        assert await talk.append(b"INBOX", PLAIN, b"(\\Seen work) ") == (
            b"a OK [APPENDUID 1 1] Append completed"
        )
        assert await talk.append(b"INBOX", PLAIN) == b"a OK [APPENDUID 1 2] Append completed"
        assert await talk.ask(b"SELECT INBOX") == [
            b"* FLAGS (" + FLAGS + b" work)",
            b"* OK [PERMANENTFLAGS (" + FLAGS + b" work \\*)] Flags permitted",
            b"* 2 EXISTS",
            b"* OK [UIDVALIDITY 1] UIDs valid",
            b"* OK [UIDNEXT 3] Predicted next UID",
            b"* OK [HIGHESTMODSEQ 3] Highest",
            b"* OK [MAILBOXID (F1)] Lasting name",
            b"* 2 RECENT",
            b"* OK [UNSEEN 2] First unseen",
            b"a OK [READ-WRITE] Select completed",
        ]
        lines = await talk.ask(b"EXAMINE INBOX")
        assert lines[0] == b"* OK [CLOSED] Previous mailbox closed"
        assert b"* 0 RECENT" in lines
        assert b"* OK [PERMANENTFLAGS ()] Read-only" in lines
        assert lines[-1] == b"a OK [READ-ONLY] Examine completed"
        for command in (b"STORE 1 FLAGS ()", b"EXPUNGE", b"MOVE 1 Trash"):
            assert (await talk.refused(command)).startswith(b"NO [READ-ONLY]")
        assert await talk.done(b"FETCH 2 BODY[TEXT]") == [b"* 2 FETCH (BODY[TEXT] {10}\r\nbody one\r\n)"]
        assert await talk.done(b"FETCH 2 FLAGS") == [b"* 2 FETCH (FLAGS ())"]


@pytest.mark.parametrize("name", [b"nosuch", b'""', b"&bad"])
async def test_no_folder_is_open_after_a_select_that_fails(port: int, name: bytes) -> None:
    async with member(port, select=b"INBOX") as talk:
        closed, refused = await talk.ask(b"SELECT " + name)
        assert closed == b"* OK [CLOSED] Previous mailbox closed"
        assert refused.startswith(b"a NO ")
        assert (await talk.refused(b"CHECK")).startswith(b"BAD command not allowed in this state")


async def test_fetch_gives_what_is_kept(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, PLAIN)
        assert await talk.done(b"FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)") == [
            b'* 1 FETCH (UID 1 FLAGS (\\Recent) INTERNALDATE " 1-Feb-2026 11:00:00 +0000" RFC822.SIZE %d)'
            % len(PLAIN)
        ]
        (envelope,) = await talk.done(b"UID FETCH 1 ENVELOPE")
        assert envelope == (
            b'* 1 FETCH (UID 1 ENVELOPE ("Mon, 02 Nov 2026 10:00:00 +0000" "hello"'
            b' (("Ann" NIL "ann" "x.test")) (("Ann" NIL "ann" "x.test")) (("Ann" NIL "ann" "x.test"))'
            b' ((NIL NIL "bob" "y.test")) NIL NIL NIL NIL))'
        )
        assert await talk.done(b"FETCH 1 BODY") == [
            b'* 1 FETCH (BODY ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 1))'
        ]
        assert await talk.done(b"FETCH 2:9 FLAGS") == []
        assert await talk.done(b"UID FETCH 7:* UID") == [b"* 1 FETCH (UID 1)"]


async def test_sections_of_a_message_are_its_octets(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, PARTS)
        expected = {
            b"BODY.PEEK[1]": b"R3LDvMOfZQ==",
            b"BODY.PEEK[2.TEXT]": b"inner body",
            b"BODY.PEEK[2.HEADER]": b"Subject: inner\r\n\r\n",
            b"BODY.PEEK[1.MIME]": (
                b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            ),
            b"BODY.PEEK[HEADER.FIELDS (Subject)]": b"Subject: parts\r\n\r\n",
            b"BODY.PEEK[]<5.7>": PARTS[5:12],
            b"BODY.PEEK[]": PARTS,
        }
        for item, octets in expected.items():
            (line,) = await talk.done(b"FETCH 1 " + item)
            assert line.endswith(b" {%d}\r\n%b)" % (len(octets), octets))
        assert await talk.done(b"FETCH 1 BODY.PEEK[3]") == [b"* 1 FETCH (BODY[3] NIL)"]
        assert await talk.done(b"FETCH 1 BODY.PEEK[]<99999.1>") == [b'* 1 FETCH (BODY[]<99999> "")']


async def test_reading_a_body_marks_it_as_seen_once(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, PLAIN, PLAIN)
        await talk.done(b"FETCH 1 BODY.PEEK[]")
        lines = await talk.done(b"FETCH 1:2 BODY[TEXT]")
        assert lines[2:] == [b"* 1 FETCH (FLAGS (\\Seen \\Recent))", b"* 2 FETCH (FLAGS (\\Seen \\Recent))"]
        assert len(await talk.done(b"FETCH 1:2 BODY[TEXT]")) == 2
        assert await talk.done(b"STATUS INBOX (UNSEEN)") == [b"* STATUS INBOX (UNSEEN 0)"]


async def test_large_and_small_messages_come_unchanged_in_order(port: int) -> None:
    large = PLAIN + b"0123456789abcde\r\n" * 30_000
    odd = PLAIN + b"nul \0 and \xff\r\n"
    async with member(port) as talk:
        await fill(talk, PLAIN, large, odd, large[:70_000], PLAIN)
        lines = await talk.done(b"FETCH 1:* (UID BODY.PEEK[])")
        bodies = [line.split(b"}\r\n", 1)[1].removesuffix(b")") for line in lines]
        assert bodies == [PLAIN, large, odd.replace(b"\0", b"\x80"), large[:70_000], PLAIN]
        (line,) = await talk.done(b"FETCH 2 (BODY.PEEK[TEXT]<8.20> BODY.PEEK[HEADER.FIELDS (to)])")
        assert line == (
            b"* 2 FETCH (BODY[TEXT]<8> {20}\r\n\r\n0123456789abcde\r\n0"
            b" BODY[HEADER.FIELDS (to)] {18}\r\nTo: bob@y.test\r\n\r\n)"
        )
        assert await talk.done(b"SEARCH BODY 9abcdef") == [b"* SEARCH"]
        assert await talk.done(b"SEARCH BODY 9abcde") == [b"* SEARCH 2 4"]


async def test_store_tells_the_flags_unless_silent(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, PLAIN, PLAIN)
        assert await talk.done(b"STORE 1 FLAGS (\\Draft $Work)") == [
            b"* FLAGS (" + FLAGS + b" $Work)",
            b"* OK [PERMANENTFLAGS (" + FLAGS + b" $Work \\*)] Flags permitted",
            b"* 1 FETCH (FLAGS (\\Draft \\Recent $Work))",
        ]
        assert await talk.done(b"STORE 1:2 +FLAGS.SILENT (\\Seen)") == []
        assert await talk.done(b"UID STORE 1:2 -FLAGS ($work \\Draft)") == [
            b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))",
            b"* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))",
        ]
        assert await talk.done(b"STORE 9 +FLAGS (\\Seen)") == []
        many = b" ".join(b"k%d" % number for number in range(65))
        assert (await talk.refused(b"STORE 1 +FLAGS (" + many + b")")).startswith(b"NO [LIMIT]")
        assert await talk.done(b"SEARCH KEYWORD k1") == [b"* SEARCH"]


async def test_copy_and_move_tell_the_new_uids(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, PLAIN, PLAIN, PLAIN, PLAIN)
        await talk.done(b"STORE 2 FLAGS (\\Flagged)")
        lines = await talk.ask(b"COPY 2,4 Archive")
        assert lines == [b"a OK [COPYUID 6 2,4 1:2] Copy completed"]
        lines = await talk.ask(b"UID MOVE 1:2 Archive")
        assert lines == [
            b"* OK [COPYUID 6 1:2 3:4] Moved UIDs",
            b"* 2 EXPUNGE",
            b"* 1 EXPUNGE",
            b"* 2 RECENT",
            b"a OK Move completed",
        ]
        assert (await talk.ask(b"MOVE 1 INBOX"))[0] == b"* OK [COPYUID 1 3 5] Moved UIDs"
        assert (await talk.refused(b"COPY 1 none")).startswith(b"NO [TRYCREATE]")
        assert await talk.done(b"COPY 9 Archive") == []
        await talk.done(b"EXAMINE Archive")
        assert await talk.done(b"FETCH 1:* (UID FLAGS INTERNALDATE)") == [
            b'* %d FETCH (UID %d FLAGS (%b\\Recent) INTERNALDATE " 1-Feb-2026 11:00:00 +0000")'
            % (number, number, b"\\Flagged " if number in {1, 4} else b"")
            for number in range(1, 5)
        ]


async def test_expunge_removes_what_is_marked(any_host: MailHost, any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, PLAIN, PLAIN, PLAIN, PLAIN)
        await talk.done(b"STORE 1,3:4 +FLAGS.SILENT (\\Deleted)")
        assert await talk.done(b"UID EXPUNGE 2:3") == [b"* 3 EXPUNGE", b"* 3 RECENT"]
        assert await talk.done(b"EXPUNGE") == [b"* 3 EXPUNGE", b"* 1 EXPUNGE", b"* 1 RECENT"]
        assert await talk.done(b"EXPUNGE") == []
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"UNSELECT")
        assert await talk.done(b"STATUS INBOX (MESSAGES)") == [b"* STATUS INBOX (MESSAGES 1)"]
        await talk.done(b"SELECT INBOX")
        assert await talk.done(b"CLOSE") == []
        assert await talk.done(b"STATUS INBOX (MESSAGES SIZE)") == [b"* STATUS INBOX (MESSAGES 0 SIZE 0)"]
    assert await any_host.messages_of("ann@example.test") == []


async def test_over_quota_is_refused_before_the_data_where_it_can_be(host: MailHost, port: int) -> None:
    async with member(port) as talk:
        await fill(talk, PLAIN)
        await host.set_quota("ann@example.test", len(PLAIN) + 20)
        talk.send(b"a APPEND INBOX {%d}\r\n" % len(PLAIN))
        assert (await talk.replies())[-1].startswith(b"a NO [OVERQUOTA]")
        assert (await talk.refused(b"COPY 1 Trash")).startswith(b"NO [OVERQUOTA]")
        assert (await talk.append(b"INBOX", b"x" * 20)).startswith(b"a OK")
        assert (await talk.append(b"INBOX", b"x")).startswith(b"a NO [OVERQUOTA]")


async def test_several_messages_are_appended_all_or_none(any_host: MailHost, any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk)
        one, two = b"{%d+}\r\n%b" % (len(PLAIN), PLAIN), b"{%d+}\r\n%b" % (len(PARTS), PARTS)
        talk.send(b"a APPEND INBOX (\\Seen) " + one + b" (\\Draft) " + two + b"\r\n")
        assert await talk.replies() == [
            b"* 2 EXISTS",
            b"* 2 RECENT",
            b"a OK [APPENDUID 1 1:2] Append completed",
        ]
        talk.send(b"a APPEND INBOX " + one + b" {0+}\r\n\r\n")
        assert (await talk.replies())[-1].startswith(b"a NO")
        talk.send(b"a APPEND INBOX " + one + b" nonsense\r\n")
        assert (await talk.replies())[-1].startswith(b"a BAD")
    assert await any_host.messages_of("ann@example.test") == [PLAIN, PARTS]
