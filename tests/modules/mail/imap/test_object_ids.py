"""MAILBOXID, EMAILID, THREADID (RFC 8474) and SAVEDATE (RFC 8514)."""

import re

from freehold.modules.mail.imap.messages.internal_date import internal_dates
from freehold.modules.mail.smtp.service import Door
from freehold.storage.database import Transaction
from tests.mail_host import MailHost, connected
from tests.modules.mail.imap.client import ImapTalk, member

MESSAGE = b"Subject: one\r\n\r\nbody\r\n"
DAY_MS = 86_400_000
_EMAIL_ID = re.compile(rb"EMAILID \((M[0-9a-f]{16})\)")


async def email_ids(talk: ImapTalk, numbers: bytes = b"1:*") -> list[bytes]:
    lines = await talk.done(b"FETCH " + numbers + b" EMAILID")
    found = [_EMAIL_ID.search(line) for line in lines if b" FETCH " in line]
    return [match[1] for match in found if match is not None]


async def set_saved(tx: Transaction, uid: int, saved_ms: int) -> None:
    await tx.execute("UPDATE message SET saved_ms = ? WHERE id % 4294967296 = ?", saved_ms, uid)


async def test_a_folder_keeps_its_id_when_it_is_renamed_and_never_gives_it_on(any_port: int) -> None:
    async with member(any_port) as talk:
        [made] = await talk.ask(b"CREATE one")
        match = re.fullmatch(rb"a OK \[MAILBOXID \((F[0-9a-f]+)\)\] Create completed", made)
        assert match is not None
        name = match[1]
        assert b"* OK [MAILBOXID (%b)] Lasting name" % name in await talk.done(b"SELECT one")
        await talk.done(b"RENAME one two")
        assert await talk.done(b"STATUS two (MAILBOXID MESSAGES)") == [
            b"* STATUS two (MAILBOXID (%b) MESSAGES 0)" % name
        ]
        lines = await talk.done(b'LIST "" two RETURN (STATUS (MAILBOXID))')
        assert lines[-1] == b"* STATUS two (MAILBOXID (%b))" % name
        await talk.done(b"DELETE two")
        assert name not in (await talk.ask(b"CREATE two"))[0]


async def test_copies_and_moves_keep_the_id_of_the_content(any_port: int) -> None:
    async with member(any_port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX")
        ids = await email_ids(talk)
        assert len(set(ids)) == 2
        await talk.done(b"COPY 1 Archive")
        await talk.done(b"MOVE 2 Archive")
        assert await email_ids(talk) == ids[:1]
        await talk.done(b"SELECT Archive")
        assert await email_ids(talk) == ids
        for number, name in enumerate(ids, 1):
            assert await talk.done(b"SEARCH EMAILID " + name) == [b"* SEARCH %d" % number]
            assert await talk.done(b"SEARCH NOT EMAILID " + name) == [b"* SEARCH %d" % (3 - number)]
        both = b"SEARCH OR EMAILID %b EMAILID %b" % (ids[0], ids[1])
        assert await talk.done(both) == [b"* SEARCH 1 2"]


async def test_two_people_with_one_content_cannot_tell_it_from_the_ids(
    any_host: MailHost, any_port: int
) -> None:
    async with any_host.listening(any_host.smtp(Door.EXCHANGE)) as smtp, connected(smtp) as sender:
        await sender.reply()
        await sender.ask("EHLO remote.test")
        await sender.ask("MAIL FROM:<e@remote.test>")
        await sender.ask("RCPT TO:<ann@example.test>")
        await sender.ask("RCPT TO:<bob@example.test>")
        await sender.ask("DATA")
        sender.send(MESSAGE + b".\r\n")
        assert (await sender.reply()).startswith("250")
    ids = []
    for who in (b"ann@example.test", b"bob@example.test"):
        async with member(any_port, who, b"INBOX") as talk:
            ids += await email_ids(talk)
    assert len(set(ids)) == 2
    async with member(any_port, b"bob@example.test", b"INBOX") as talk:
        assert await talk.done(b"SEARCH EMAILID " + ids[0]) == [b"* SEARCH"]
        assert await talk.done(b"SEARCH EMAILID " + ids[1]) == [b"* SEARCH 1"]


async def test_there_are_no_threads(port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"EXAMINE INBOX")
        assert await talk.done(b"FETCH 1 (UID THREADID)") == [b"* 1 FETCH (UID 1 THREADID NIL)"]
        assert await talk.done(b"SEARCH THREADID T1") == [b"* SEARCH"]
        assert await talk.done(b"SEARCH NOT THREADID T1") == [b"* SEARCH 1"]
        assert await talk.done(b"SEARCH EMAILID nothing-of-ours") == [b"* SEARCH"]


async def test_ids_come_along_with_bodies(port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"EXAMINE INBOX")
        [line] = await talk.done(b"FETCH 1 (EMAILID THREADID BODY.PEEK[TEXT])")
        assert re.fullmatch(
            rb"\* 1 FETCH \(EMAILID \(M[0-9a-f]{16}\) THREADID NIL BODY\[TEXT\] \{6\}\r\nbody\r\n\)", line
        )


async def test_the_date_of_arrival_in_the_folder_is_fetched_and_searched(
    any_host: MailHost, any_port: int
) -> None:
    days = [20_000 * DAY_MS - 1, 20_000 * DAY_MS, 20_001 * DAY_MS - 1, 20_001 * DAY_MS]
    async with member(any_port) as talk:
        for uid, saved_ms in enumerate(days, 1):
            await talk.append(b"INBOX", MESSAGE, b'" 1-Feb-2026 12:00:00 +0100" ')
            await any_host.runtime.database.write(set_saved, uid, saved_ms)
        await talk.done(b"SELECT INBOX")
        written = internal_dates(days)
        assert await talk.done(b"FETCH 1:4 SAVEDATE") == [
            b"* %d FETCH (SAVEDATE %b)" % each for each in enumerate(written, 1)
        ]
        day = written[1][1:12].strip()
        assert day == b"4-Oct-2024"
        assert await talk.done(b"SEARCH SAVEDBEFORE " + day) == [b"* SEARCH 1"]
        assert await talk.done(b"SEARCH SAVEDON " + day) == [b"* SEARCH 2 3"]
        assert await talk.done(b"SEARCH SAVEDSINCE " + day) == [b"* SEARCH 2 3 4"]
        assert await talk.done(b"SEARCH SAVEDATESUPPORTED") == [b"* SEARCH 1 2 3 4"]


async def test_a_copy_is_saved_anew_and_keeps_its_internal_date(host: MailHost, port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", MESSAGE, b'" 1-Feb-2026 12:00:00 +0100" ')
        await host.runtime.database.write(set_saved, 1, 0)
        await talk.done(b"SELECT INBOX")
        await talk.done(b"COPY 1 Archive")
        await talk.done(b"SELECT Archive")
        [line] = await talk.done(b"FETCH 1 (INTERNALDATE SAVEDATE)")
        assert line.startswith(b'* 1 FETCH (INTERNALDATE " 1-Feb-2026 11:00:00 +0000" SAVEDATE "')
        assert b"1970" not in line


async def test_what_is_offered(port: int) -> None:
    async with member(port) as talk:
        [line] = await talk.done(b"CAPABILITY")
        assert {b"OBJECTID", b"SAVEDATE", b"PREVIEW"} <= set(line.split())
