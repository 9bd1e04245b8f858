"""Several sessions at once: what one does the others are told, when it may be told."""

import asyncio
import os
import tracemalloc

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped]

from freehold.modules.mail.events import FolderChanged
from freehold.modules.mail.folders.sweep import sweep_changes
from freehold.storage.database import Transaction
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.folders.store import open_box
from tests.modules.mail.imap.client import imap, member, stranger

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
KIB = 1024


async def count(tx: Transaction, table: str) -> int:
    row = await tx.fetch_one(f"SELECT COUNT(*) FROM {table}")
    assert row is not None
    return int(row[0])


async def test_an_idling_session_is_told_at_once(any_port: int) -> None:
    async with member(any_port, select=b"INBOX") as idler, member(any_port, select=b"INBOX") as actor:
        assert await idler.ask(b"IDLE") == [b"+ idling"]
        await actor.append(b"INBOX", MESSAGE)
        assert await idler.line() == b"* 1 EXISTS"
        assert (await idler.line()).endswith(b" RECENT")
        await actor.done(b"STORE 1 +FLAGS (\\Deleted)")
        assert (await idler.line()).startswith(b"* 1 FETCH (FLAGS (\\Deleted")
        await actor.done(b"EXPUNGE")
        assert await idler.line() == b"* 1 EXPUNGE"
        idler.send(b"DONE\r\n")
        *told, last = await idler.replies()
        assert told in ([], [b"* 0 RECENT"])  # if it was here that the message was recent
        assert last == b"a OK Idle completed"
        await idler.ask(b"IDLE")
        idler.send(b"NOT DONE\r\n")
        assert (await idler.replies())[-1].startswith(b"a BAD")
        await idler.done(b"NOOP")


async def test_an_idling_session_is_told_by_an_event_of_another_process(host: MailHost, port: int) -> None:
    async with member(port, select=b"INBOX") as idler:
        await idler.ask(b"IDLE")
        place, _ = await (await open_box(host, "ann@example.test")).append("INBOX")
        host.runtime.bus.publish(FolderChanged(1, place.folder_id, place.modseq))
        assert await idler.line() == b"* 1 EXISTS"


async def test_without_any_event_the_next_command_tells(host: MailHost, port: int) -> None:
    async with member(port, select=b"INBOX") as talk:
        await (await open_box(host, "ann@example.test")).append("INBOX")
        assert await talk.done(b"NOOP") == [b"* 1 EXISTS", b"* 1 RECENT"]


async def test_message_numbers_stay_while_a_client_counts_by_them(any_port: int) -> None:
    async with member(any_port) as one, member(any_port) as two:
        for _ in range(3):
            await one.append(b"INBOX", MESSAGE)
        await one.done(b"SELECT INBOX")
        await two.done(b"SELECT INBOX")
        await one.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await one.done(b"EXPUNGE")
        await one.append(b"INBOX", MESSAGE)
        lines = await two.ask(b"FETCH 1:3 UID")
        assert lines[:2] == [b"* 2 FETCH (UID 2)", b"* 3 FETCH (UID 3)"]
        assert lines[2:] == [
            b"* 4 EXISTS",
            b"* 0 RECENT",
            b"a OK [EXPUNGEISSUED] Some messages were already expunged",
        ]
        assert (await two.done(b"STORE 2 +FLAGS (\\Seen)"))[0].startswith(b"* 2 FETCH (FLAGS (\\Seen")
        assert await two.done(b"SEARCH ALL") == [b"* SEARCH 2 3 4"]
        assert await two.done(b"NOOP") == [b"* 1 EXPUNGE"]
        assert await two.done(b"FETCH 1:* UID") == [
            b"* 1 FETCH (UID 2)",
            b"* 2 FETCH (UID 3)",
            b"* 3 FETCH (UID 4)",
        ]


async def test_a_session_that_was_left_behind_by_the_log_compares(host: MailHost, port: int) -> None:
    async with member(port) as one, member(port) as two:
        for _ in range(4):
            await one.append(b"INBOX", MESSAGE)
        await one.done(b"SELECT INBOX")
        await two.done(b"SELECT INBOX")
        await one.done(b"STORE 2:3 +FLAGS.SILENT (\\Deleted)")
        await one.done(b"EXPUNGE")
        await one.done(b"STORE 2 +FLAGS.SILENT (\\Flagged)")
        await one.append(b"INBOX", MESSAGE)
        box = await open_box(host, "ann@example.test")
        await host.runtime.database.write(sweep_changes, box.mailbox_id, kept=0)
        assert await two.done(b"NOOP") == [
            b"* 3 EXPUNGE",
            b"* 2 EXPUNGE",
            b"* 3 EXISTS",
            b"* 0 RECENT",
            b"* 2 FETCH (FLAGS (\\Flagged))",
        ]


async def test_recent_is_told_to_one_session_only(port: int) -> None:
    async with member(port, select=b"INBOX") as one, member(port, select=b"INBOX") as two:
        await one.append(b"INBOX", MESSAGE)
        assert await two.done(b"NOOP") == [b"* 1 EXISTS", b"* 0 RECENT"]
        assert await one.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Recent))"]
        assert await two.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS ())"]


async def test_mod_sequences_are_told_once_they_are_wanted(any_port: int) -> None:
    async with member(any_port) as one, member(any_port) as two:
        await one.append(b"INBOX", MESSAGE)
        await one.append(b"INBOX", MESSAGE)
        assert await one.done(b"ENABLE CONDSTORE X-NONE") == [b"* ENABLED CONDSTORE"]
        await one.done(b"SELECT INBOX")
        await two.done(b"EXAMINE INBOX")
        assert (await two.done(b"FETCH 1 MODSEQ"))[0] == b"* OK [HIGHESTMODSEQ 3] Highest"
        assert await one.done(b"STORE 1 (UNCHANGEDSINCE 2) +FLAGS.SILENT (\\Seen)") == [
            b"* 1 FETCH (UID 1 MODSEQ (4))"
        ]
        lines = await one.ask(b"UID STORE 1:2 (UNCHANGEDSINCE 3) +FLAGS (\\Flagged)")
        assert lines == [
            b"* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent) MODSEQ (5))",
            b"a OK [MODIFIED 1] Conditional store failed",
        ]
        assert await two.done(b"NOOP") == [
            b"* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (4))",
            b"* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (5))",
        ]
        assert await two.done(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE 4)") == [
            b"* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (5))"
        ]
        await one.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        assert (await one.ask(b"EXPUNGE"))[-1] == b"a OK [HIGHESTMODSEQ 7] Expunge completed"


async def test_a_client_that_was_away_learns_what_it_missed(any_port: int) -> None:
    async with member(any_port) as one, member(any_port) as two:
        for _ in range(5):
            await one.append(b"INBOX", MESSAGE)
        await one.done(b"SELECT INBOX")
        assert (await two.refused(b"SELECT INBOX (QRESYNC (1 6))")).startswith(b"BAD")
        await two.done(b"ENABLE QRESYNC")
        await one.done(b"STORE 2:3 +FLAGS.SILENT (\\Deleted)")
        await one.done(b"EXPUNGE")
        await one.done(b"STORE 2 +FLAGS.SILENT (\\Flagged)")
        lines = await two.done(b"SELECT INBOX (QRESYNC (1 6 1:5))")
        assert lines[-2:] == [
            b"* VANISHED (EARLIER) 2:3",
            b"* 2 FETCH (UID 4 FLAGS (\\Flagged) MODSEQ (9))",
        ]
        await one.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await one.done(b"EXPUNGE")
        assert await two.done(b"NOOP") == [b"* VANISHED 1"]
        assert await two.done(b"UID FETCH 1:9 (FLAGS) (CHANGEDSINCE 8 VANISHED)") == [
            b"* VANISHED (EARLIER) 1",
            b"* 1 FETCH (UID 4 FLAGS (\\Flagged) MODSEQ (9))",
        ]
        lines = await two.done(b"SELECT INBOX (QRESYNC (99 6))")
        assert not any(b"VANISHED" in line for line in lines)


async def test_a_connection_lost_within_an_append_leaves_nothing(host: MailHost) -> None:
    async with host.listening(imap(host), tls=False) as port, member(port, select=b"INBOX") as talk:
        talk.send(b"a APPEND INBOX {1000000+}\r\n" + b"x" * 700_000)
        await asyncio.wait_for(talk.writer.drain(), 20)
        talk.writer.close()
    database = host.runtime.database
    assert await database.read(count, "message") == 0
    assert await database.read(count, "blob") == 0
    assert not [name for _, _, names in os.walk(host.folder / "blobs") for name in names]


async def test_a_huge_append_and_its_fetch_take_little_memory(port: int) -> None:
    size, piece = 24 * 1024 * KIB, b"0123456789abcdef" * 4095 + b"0123456789abcd\r\n"
    async with member(port, select=b"INBOX") as talk:
        tracemalloc.start()
        try:
            talk.send(b"a APPEND INBOX {%d+}\r\n" % size)
            for _ in range(0, size, len(piece)):
                talk.send(piece)
                await asyncio.wait_for(talk.writer.drain(), 20)
            talk.send(b"\r\n")
            assert (await talk.replies())[-1].startswith(b"a OK")
            talk.send(b"a FETCH 1 BODY.PEEK[]\r\n")
            await talk.reader.readline()
            for _ in range(0, size, len(piece)):
                assert await talk.reader.readexactly(len(piece)) == piece
            await talk.replies()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 6 * 1024 * KIB


async def test_commands_sent_together_are_answered_in_order(port: int) -> None:
    async with stranger(port) as talk:
        talk.send(
            b"a1 LOGIN ann@example.test " + PASSWORD.encode() + b"\r\na2 SELECT INBOX\r\n"
            b"a3 APPEND INBOX {4+}\r\nx\r\n\r\r\na4 FETCH 1 RFC822.SIZE\r\na5 LOGOUT\r\n"
        )
        said = await talk.rest()
    tagged = [line[:5] for line in said.split(b"\r\n") if line[:1] == b"a"]
    assert tagged == [b"a1 OK", b"a2 OK", b"a3 OK", b"a4 OK", b"a5 OK"]
    assert b"* 1 FETCH (RFC822.SIZE 4)" in said


def use_imapclient(port: int) -> dict[str, object]:
    """Do what a client does every day."""
    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login("ann@example.test", PASSWORD)
        client.create_folder("Projekte/Ä")
        client.subscribe_folder("Projekte/Ä")
        client.append("Projekte/Ä", MESSAGE, flags=(b"\\Seen", b"$Work"))
        selected = client.select_folder("Projekte/Ä")
        fetched = client.fetch([1], ["FLAGS", "ENVELOPE", "BODYSTRUCTURE", "BODY[]", "RFC822.SIZE"])
        client.add_flags([1], [b"\\Flagged"])
        client.copy([1], "Archive")
        client.move([1], "Trash")
        return {
            "exists": selected[b"EXISTS"],
            "subject": fetched[1][b"ENVELOPE"].subject,
            "body": fetched[1][b"BODY[]"],
            "type": fetched[1][b"BODYSTRUCTURE"][:2],
            "flags": fetched[1][b"FLAGS"],
            "left": client.search("ALL"),
            "special": client.find_special_folder(b"\\Trash"),
            "folders": [name for _, _, name in client.list_sub_folders("Projekte")],
            "status": client.folder_status("Trash", ["MESSAGES", "UNSEEN"]),
            "namespace": client.namespace().personal,
        }


async def test_imapclient_understands_us(port: int) -> None:
    assert await asyncio.to_thread(use_imapclient, port) == {
        "exists": 1,
        "subject": b"x",
        "body": MESSAGE,
        "type": (b"text", b"plain"),
        "flags": (b"\\Seen", b"\\Recent", b"$Work"),
        "left": [],
        "special": "Trash",
        "folders": ["Projekte/Ä"],
        "status": {b"MESSAGES": 1, b"UNSEEN": 0},
        "namespace": (("", "/"),),
    }


async def test_sessions_of_two_listeners_wake_each_other(host: MailHost) -> None:
    async with (
        host.listening(imap(host), tls=False) as one,
        host.listening(imap(host), tls=False) as two,
        member(one, select=b"INBOX") as idler,
        member(two) as actor,
    ):
        await idler.ask(b"IDLE")
        await actor.append(b"INBOX", MESSAGE)
        assert await idler.line() == b"* 1 EXISTS"


async def break_blobs(tx: Transaction) -> None:
    await tx.execute("UPDATE blob SET place = 'nowhere:1', data = NULL")


async def test_a_content_that_cannot_be_read_is_refused_and_logged(
    host: MailHost, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX")
        await host.runtime.database.write(break_blobs)
        assert (await talk.refused(b"FETCH 1 BODY.PEEK[]")).startswith(b"NO [UNAVAILABLE]")
        assert (await talk.refused(b"SEARCH BODY x")).startswith(b"NO [UNAVAILABLE]")
        assert len(await talk.done(b"FETCH 1 ENVELOPE")) == 1
    assert "command failed" in caplog.text
