"""CATENATE, REPLACE and raw octets over a real socket: what is stored, and what others are told."""

import pytest

from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, member

FIRST = b"From: foo@x.test\r\nSubject: one\r\n\r\nHello world body\r\n"
SECOND = (
    b"From: bar@x.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nsaid\r\n"
    b"--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--b--\r\n"
)


async def fill(talk: ImapTalk, *messages: bytes, mailbox: bytes = b"INBOX") -> None:
    for message in messages:
        assert (await talk.append(mailbox, message)).startswith(b"a OK [APPENDUID ")


async def bodies(talk: ImapTalk, numbers: bytes = b"1:*") -> list[bytes]:
    lines = await talk.done(b"FETCH " + numbers + b" BODY.PEEK[]")
    return [line.partition(b"}\r\n")[2].removesuffix(b")") for line in lines if b" FETCH " in line]


async def test_a_message_is_put_together_from_others_and_from_texts(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk:
        await fill(talk, FIRST, SECOND)
        await talk.done(b'CREATE "a b"')
        done = await talk.ask(
            b'APPEND "a b" (\\Seen) CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER" TEXT {7+}\r\nfirst\r\n'
            b' URL "/INBOX/;UID=2/;SECTION=2" TEXT {2+}\r\n\r\n URL "/;UID=1/;PARTIAL=7.9")'
            b" {3+}\r\nabc CATENATE (URL /INBOX/;UID=1)"
        )
        assert done[-1].startswith(b"a OK [APPENDUID ")
        assert b" 1:3]" in done[-1]
        await talk.done(b'SELECT "a b"')
        head = FIRST.partition(b"Hello")[0]
        assert await bodies(talk) == [head + b"first\r\nAAECAw==\r\noo@x.test", b"abc", FIRST]
        assert await talk.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Seen \\Recent))"]


@pytest.mark.parametrize(
    ("url", "quoted"),
    [
        (b"/INBOX/;UID=9", b"/INBOX/;UID=9"),
        (b"/nowhere/;UID=1", b"/nowhere/;UID=1"),
        (b"/INBOX;UIDVALIDITY=7/;UID=1", b"/INBOX;UIDVALIDITY=7/;UID=1"),
        (b"/INBOX/;UID=1/;SECTION=3", b"/INBOX/;UID=1/;SECTION=3"),
        (b"/INBOX/;UID=1/;SECTION=a]b c", b"/INBOX/;UID=1/;SECTION=a%5Db%20c"),
        (b"imap://mail.example.test/INBOX/;UID=1", b"imap://mail.example.test/INBOX/;UID=1"),
        (b"/Other%20Users/ann@example.test/INBOX/;UID=1", b"/Other%20Users/ann@example.test/INBOX/;UID=1"),
    ],
)
async def test_a_url_that_leads_nowhere_is_named_and_nothing_is_stored(
    port: int, url: bytes, quoted: bytes
) -> None:
    async with member(port) as ann, member(port, b"bob@example.test", select=b"INBOX") as bob:
        await fill(ann, SECOND)
        if b"UID=1/;SECTION" in url:
            await fill(bob, FIRST)
        reply = await bob.refused(b'APPEND INBOX {2+}\r\nhi CATENATE (TEXT {2+}\r\nhi URL "' + url + b'")')
        assert reply.startswith(b"NO [BADURL " + quoted + b"] ")
        assert len(await bodies(bob)) == (b"UID=1/;SECTION" in url)


async def test_a_composed_message_is_bounded_while_it_grows(host: MailHost, port: int) -> None:
    await host.set_quota("ann@example.test", 1000)
    async with member(port, select=b"INBOX") as talk:
        await fill(talk, b"x" * 400)
        url = b"URL /INBOX/;UID=1"
        reply = await talk.refused(b"APPEND INBOX CATENATE (" + url + b" " + url + b" TEXT {2+}\r\nhi)")
        assert reply.startswith(b"NO [OVERQUOTA] ")
        await talk.done(b"APPEND INBOX CATENATE (" + url + b")")
        assert (await talk.refused(b"APPEND INBOX CATENATE (TEXT {0+}\r\n)")).startswith(b"NO [TOOBIG] ")


async def test_replace_brings_the_new_message_before_the_old_one_goes(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk, member(any_port) as other:
        await other.done(b"EXAMINE INBOX")  # who might change it would race for what is \\Recent
        await fill(talk, FIRST, SECOND)
        await other.done(b"NOOP")
        other.send(b"i IDLE\r\n")
        assert await other.line() == b"+ idling"
        lines = await talk.ask(b"REPLACE 1 INBOX (\\Draft) {3+}\r\nnew")
        assert lines[0].startswith(b"* OK [APPENDUID ")
        assert lines[0].endswith(b" 3] Replacement message ready")
        assert lines[1:-1] == [b"* 3 EXISTS", b"* 3 RECENT", b"* 1 EXPUNGE", b"* 2 RECENT"]
        assert lines[-1] == b"a OK Replace completed"
        assert [await other.line(), await other.line()] == [b"* 1 EXPUNGE", b"* 2 EXISTS"]
        other.send(b"DONE\r\n")
        assert (await other.replies(b"i"))[-1].startswith(b"i OK")
        assert await bodies(other) == [SECOND, b"new"]
        assert await talk.done(b"FETCH 2 (UID FLAGS)") == [b"* 2 FETCH (UID 3 FLAGS (\\Draft \\Recent))"]


async def test_a_draft_is_replaced_into_another_folder_by_its_uid(any_port: int) -> None:
    async with member(any_port, select=b"Drafts") as talk:
        await fill(talk, FIRST, mailbox=b"Drafts")
        lines = await talk.ask(b"UID REPLACE 1 Sent CATENATE (URL /Drafts/;UID=1 TEXT {3+}\r\nbye)")
        assert lines[0].startswith(b"* OK [APPENDUID ")
        assert lines[-3:] == [b"* 1 EXPUNGE", b"* 0 RECENT", b"a OK Replace completed"]
        await talk.done(b"SELECT Sent")
        assert await bodies(talk) == [FIRST + b"bye"]


async def test_a_replace_that_fails_changes_nothing(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk, member(any_port, select=b"INBOX") as other:
        await fill(talk, FIRST)
        assert (await talk.refused(b"REPLACE 2 INBOX {3+}\r\nnew")).startswith(b"NO [NONEXISTENT] ")
        assert (await talk.refused(b"UID REPLACE 7 INBOX {3+}\r\nnew")).startswith(b"NO [NONEXISTENT] ")
        assert (await talk.refused(b"REPLACE 1 Nowhere {3+}\r\nnew")).startswith(b"NO [TRYCREATE] ")
        assert (await talk.refused(b"REPLACE 1 INBOX CATENATE (URL /x)")).startswith(b"NO [BADURL /x] ")
        await other.done(b"NOOP")
        await other.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        talk.send(b"a REPLACE 1 INBOX {3+}\r\n")
        await other.done(b"EXPUNGE")
        talk.send(b"new\r\n")
        assert (await talk.replies())[-1].startswith(b"a NO [NONEXISTENT] ")
        assert (await other.done(b"STATUS INBOX (MESSAGES)"))[0] == b"* STATUS INBOX (MESSAGES 0)"
        await talk.done(b"EXAMINE INBOX")
        assert (await talk.refused(b"REPLACE 1 INBOX {3+}\r\nnew")).startswith(b"NO [READ-ONLY] ")


async def test_the_quota_counts_what_a_replaced_message_leaves(any_host: MailHost, any_port: int) -> None:
    await any_host.set_quota("ann@example.test", 1000)
    async with member(any_port, select=b"INBOX") as talk:
        await fill(talk, b"x" * 800)
        assert (await talk.append(b"INBOX", b"y" * 900)).startswith(b"a NO [OVERQUOTA] ")
        await talk.done(b"REPLACE 1 INBOX {900+}\r\n" + b"y" * 900)
        assert (await talk.refused(b"REPLACE 1 INBOX {1001+}\r\n" + b"z" * 1001)).startswith(b"NO [")
        assert await bodies(talk) == [b"y" * 900]


BINARY = (
    b"From: a@x.test\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n"
)


async def test_raw_octets_are_kept_in_base64_and_given_back_raw(any_port: int) -> None:
    raw = bytes(range(256)) * 3
    async with member(any_port, select=b"INBOX") as talk:
        await fill(talk, BINARY + raw)
        [body] = await talk.done(b"FETCH 1 BODY.PEEK[]")
        assert b"Content-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcI" in body
        assert max(map(len, body.split(b"\r\n"))) <= 78
        [line] = await talk.done(b"FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])")
        assert line == b"* 1 FETCH (BINARY.SIZE[1] 768 BINARY[1] ~{768}\r\n" + raw + b")"
        [line] = await talk.done(b"FETCH 1 (BINARY.PEEK[1]<250.8>)")
        assert line == b"* 1 FETCH (BINARY[1]<250> ~{8}\r\n" + raw[250:258] + b")"
        [line] = await talk.done(b"FETCH 1 (BINARY.SIZE[] BINARY.PEEK[])")
        whole = BINARY + raw
        size = b"%d" % len(whole)
        assert line == b"* 1 FETCH (BINARY.SIZE[] " + size + b" BINARY[] ~{" + size + b"}\r\n" + whole + b")"


async def test_parts_are_decoded_as_literals_without_nul_and_mark_the_message_seen(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk:
        await fill(talk, SECOND.replace(b"AAECAw==", b"aGkgdGhlcmU="))
        asked = b"FETCH 1 (BINARY.PEEK[2] BINARY[2]<3.2> BINARY.SIZE[2] BINARY.PEEK[9] BINARY.SIZE[9])"
        assert await talk.done(asked) == [
            b"* 1 FETCH (BINARY[2] {8}\r\nhi there BINARY[2]<3> {2}\r\nth BINARY.SIZE[2] 8"
            b" BINARY[9] NIL BINARY.SIZE[9] 0)",
            b"* 1 FETCH (FLAGS (\\Seen \\Recent))",
        ]


async def test_an_unknown_encoding_fails_the_fetch_but_not_the_other_messages(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk:
        odd = SECOND.replace(b": base64", b": x-what")
        await fill(talk, odd, SECOND)
        lines = await talk.ask(b"FETCH 1:2 (UID BINARY.PEEK[2])")
        assert lines == [
            b"* 1 FETCH (UID 1)",
            b"* 2 FETCH (UID 2 BINARY[2] ~{4}\r\n\0\1\2\3)",
            b"a NO [UNKNOWN-CTE] Unknown Content-Transfer-Encoding",
        ]
        assert await talk.ask(b"FETCH 1 BINARY.SIZE[]") == [lines[-1]]


async def test_large_parts_are_decoded_piece_by_piece(port: int) -> None:
    letters = b"\r\n".join([b"QUJD" * 19] * 9000)
    async with member(port, select=b"INBOX") as talk:
        await fill(talk, SECOND.replace(b"AAECAw==", letters))
        [line] = await talk.done(b"FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2])")
        size = 57 * 9000
        assert (
            line
            == b"* 1 FETCH (BINARY.SIZE[2] %d BINARY[2] {%d}\r\n" % (size, size) + b"ABC" * (size // 3) + b")"
        )
        [line] = await talk.done(b"FETCH 1 BINARY.PEEK[2]<513000.9>")
        assert line == b'* 1 FETCH (BINARY[2]<513000> "")'
        [line] = await talk.done(b"FETCH 1 BINARY.PEEK[2]<512998.9>")
        assert line == b"* 1 FETCH (BINARY[2]<512998> {2}\r\nBC)"


async def test_many_items_of_one_message_are_sent_one_by_one(port: int) -> None:
    message = FIRST + b"x" * 60_000
    items = b" ".join(b"BODY.PEEK[]<0.%d>" % length for length in range(59_900, 60_000))
    async with member(port, select=b"INBOX") as talk:
        await fill(talk, message)
        [line] = await talk.done(b"FETCH 1 (" + items + b")")
        assert line.count(b"BODY[]<0> {") == 100
        assert line.endswith(message[:59_999] + b")")


async def test_nul_needs_a_literal8(port: int) -> None:
    async with member(port, select=b"INBOX") as talk:
        assert (await talk.refused(b"APPEND INBOX {3+}\r\na\0b")).startswith(b"BAD APPEND: NUL in a literal")
        await fill(talk, b"\r\na\0b")
        assert await talk.done(b"FETCH 1 (BODY.PEEK[] BINARY.PEEK[1])") == [
            b"* 1 FETCH (BODY[] {5}\r\n\r\na\x80b BINARY[1] ~{3}\r\na\0b)"
        ]


async def test_parts_come_only_from_folders_that_the_person_may_read(any_port: int) -> None:
    url = b'"/Other%20Users/ann@example.test/Notes/;UID=1"'
    composed = b"APPEND INBOX CATENATE (URL " + url + b")"
    async with member(any_port) as ann, member(any_port, b"bob@example.test", select=b"INBOX") as bob:
        await ann.done(b"CREATE Notes")
        await fill(ann, FIRST, mailbox=b"Notes")
        for rights in (b"", b"l", b"lswipkxte"):
            await ann.done(b"SETACL Notes bob@example.test " + (rights or b'""'))
            assert (await bob.refused(composed)).startswith(b"NO [BADURL ")
        await ann.done(b"SETACL Notes bob@example.test lr")
        await bob.done(composed)
        assert await bodies(bob) == [FIRST]


async def test_a_message_of_another_is_replaced_only_by_who_may_expunge(any_port: int) -> None:
    shared = b'"Other Users/ann@example.test/Notes"'
    async with member(any_port) as ann, member(any_port, b"bob@example.test") as bob:
        await ann.done(b"CREATE Notes")
        await fill(ann, FIRST, mailbox=b"Notes")
        await ann.done(b"SETACL Notes bob@example.test lrit")
        await bob.done(b"SELECT " + shared)
        assert (await bob.refused(b"REPLACE 1 " + shared + b" {3+}\r\nnew")).startswith(b"NO [NOPERM] ")
        await ann.done(b"SETACL Notes bob@example.test lrite")
        await bob.done(b"REPLACE 1 " + shared + b" {3+}\r\nnew")
        await ann.done(b"SELECT Notes")
        assert await bodies(ann) == [b"new"]


async def test_rights_that_were_taken_while_the_new_message_came_replace_nothing(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, b"bob@example.test") as bob:
        await ann.done(b"CREATE Notes")
        await fill(ann, FIRST, mailbox=b"Notes")
        await ann.done(b"SETACL Notes bob@example.test lrite")
        await bob.done(b'SELECT "Other Users/ann@example.test/Notes"')
        bob.send(b"a REPLACE 1 INBOX {3}\r\n")
        assert (await bob.line()).startswith(b"+ ")
        await ann.done(b"SETACL Notes bob@example.test lr")
        bob.send(b"new\r\n")
        assert (await bob.replies())[-1].startswith(b"a NO [NOPERM] ")
        assert (await bob.done(b"STATUS INBOX (MESSAGES)"))[-1] == b"* STATUS INBOX (MESSAGES 0)"
        await ann.done(b"SELECT Notes")
        assert await bodies(ann) == [FIRST]


async def test_a_message_with_utf_8_headers_is_kept_as_it_came(port: int) -> None:
    message = "Subject: grüße\r\n\r\nhi\r\n".encode()
    async with member(port, select=b"INBOX") as talk:
        await talk.done(b"APPEND INBOX UTF8 (~{%d+}\r\n" % len(message) + message + b")")
        assert await bodies(talk) == [message]


async def test_numbers_name_no_message_to_replace_where_only_uids_are_used(port: int) -> None:
    async with member(port, select=b"INBOX") as talk:
        await fill(talk, FIRST)
        await talk.done(b"ENABLE UIDONLY")
        reply = await talk.refused(b"REPLACE 1 INBOX {3+}\r\nnew")
        assert reply == b"BAD [UIDREQUIRED] UIDONLY is in force"
        await talk.done(b"UID REPLACE 1 INBOX {3+}\r\nnew")


async def test_a_text_in_utf8_is_a_part_of_a_message_put_together(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as talk:
        text = "Subject: Grüße\r\n".encode()
        assert (
            await talk.ask(
                b"APPEND INBOX CATENATE (UTF8 (~{%d+}\r\n%b) TEXT {4+}\r\n\r\nhi)" % (len(text), text)
            )
        )[-1].startswith(b"a OK [APPENDUID ")
        assert await bodies(talk) == [text + b"\r\nhi"]
