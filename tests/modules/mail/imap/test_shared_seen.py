r"""Each reader's own \Seen: two readers and the owner at once, waiting, away, and on both engines."""

from collections.abc import AsyncIterator

import pytest

from freehold.modules.mail.folders.messages import MESSAGES, READER_MESSAGES
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member
from tests.modules.mail.imap.neighbours import ANN, BOB, CY, MESSAGE, add_neighbours, of, share

FOLDER = of(ANN, b"a")


@pytest.fixture
async def any_port(any_host: MailHost) -> AsyncIterator[int]:
    """The port of a host, once on each engine."""
    await add_neighbours(any_host)
    async with any_host.listening(imap(any_host), tls=False) as opened:
        yield opened


async def prepare(ann: ImapTalk, count: int = 3) -> None:
    """Share a folder with some messages."""
    await share(ann, b"a", b"anyone", b"lrswte")
    for _ in range(count):
        await ann.append(b"a", MESSAGE)


async def test_two_readers_and_the_owner_have_seen_what_they_have(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob, member(any_port, CY) as cy:
        await prepare(ann)
        await ann.done(b"SELECT a")
        await bob.done(b"SELECT " + FOLDER)
        await cy.done(b"SELECT " + FOLDER)
        await ann.done(b"FETCH 1 BODY[]")
        await bob.done(b"STORE 2:3 +FLAGS.SILENT (\\Seen \\Flagged)")
        await bob.done(b"STORE 3 -FLAGS (\\Seen)")
        assert await cy.done(b"NOOP") == [
            b"* 1 FETCH (FLAGS ())",
            b"* 2 FETCH (FLAGS (\\Flagged))",
            b"* 3 FETCH (FLAGS (\\Flagged))",
        ]
        await ann.done(b"NOOP")
        assert await ann.done(b"FETCH 1:* FLAGS") == [
            b"* 1 FETCH (FLAGS (\\Seen \\Recent))",
            b"* 2 FETCH (FLAGS (\\Flagged \\Recent))",
            b"* 3 FETCH (FLAGS (\\Flagged \\Recent))",
        ]
        assert await bob.done(b"FETCH 1:* FLAGS") == [
            b"* 1 FETCH (FLAGS ())",
            b"* 2 FETCH (FLAGS (\\Flagged \\Seen))",
            b"* 3 FETCH (FLAGS (\\Flagged))",
        ]
        for talk, unseen, name in ((ann, b"2 3", b"a"), (bob, b"1 3", FOLDER), (cy, b"1 2 3", FOLDER)):
            assert await talk.done(b"SEARCH UNSEEN") == [b"* SEARCH " + unseen]
            assert (await talk.done(b"SEARCH OR SEEN BODY nothing"))[0] == (
                b"* SEARCH" + {b"2 3": b" 1", b"1 3": b" 2"}.get(unseen, b"")
            )
            count = b"(UNSEEN %d)" % (unseen.count(b" ") + 1)
            assert (await talk.done(b"STATUS " + name + b" (UNSEEN)"))[0].endswith(count)
            lines = await talk.done(b"SELECT " + name)
            assert any(line.startswith(b"* OK [UNSEEN " + unseen[:1]) for line in lines)


async def test_a_waiting_session_of_the_same_reader_is_told_and_nobody_else(any_port: int) -> None:
    async with (
        member(any_port) as ann,
        member(any_port, BOB) as bob,
        member(any_port, BOB) as waiting,
        member(any_port, CY) as cy,
    ):
        await prepare(ann)
        await ann.done(b"SELECT a")
        for talk in (bob, waiting, cy):
            await talk.done(b"SELECT " + FOLDER)
        await waiting.ask(b"IDLE")
        await bob.done(b"FETCH 2 BODY[]")
        assert await waiting.line() == b"* 2 FETCH (FLAGS (\\Seen))"
        assert await cy.done(b"NOOP") == []
        assert await ann.done(b"NOOP") == []
        await ann.done(b"STORE 3 +FLAGS (\\Answered)")
        assert await waiting.line() == b"* 3 FETCH (FLAGS (\\Answered))"
        await ann.append(b"a", MESSAGE)
        assert [await waiting.line(), await waiting.line()] == [b"* 4 EXISTS", b"* 0 RECENT"]
        await ann.done(b"SETACL a anyone l")
        assert (await waiting.line()).startswith(b"* BYE")


async def test_modseqs_of_a_reader_rise_for_that_reader_alone(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob, member(any_port, BOB) as away:
        await prepare(ann)
        highest = (await ann.done(b"STATUS a (HIGHESTMODSEQ)"))[0]
        await away.done(b"ENABLE QRESYNC")
        lines = await away.done(b"SELECT " + FOLDER)
        known = next(line for line in lines if b"HIGHESTMODSEQ" in line).split()[3].rstrip(b"]")
        validity = next(line for line in lines if b"UIDVALIDITY" in line).split()[3].rstrip(b"]")
        await away.done(b"UNSELECT")
        await bob.done(b"SELECT " + FOLDER)
        await bob.done(b"ENABLE CONDSTORE")
        (told,) = await bob.done(b"STORE 2 +FLAGS (\\Seen)")
        modseq = int(told.split(b"MODSEQ (")[1].rstrip(b")"))
        assert modseq > int(known)
        assert (await ann.done(b"STATUS a (HIGHESTMODSEQ)"))[0] == highest
        assert (await bob.done(b"STATUS " + FOLDER + b" (HIGHESTMODSEQ)"))[0].endswith(b"%d)" % modseq)
        assert await bob.done(b"FETCH 1:* (FLAGS) (CHANGEDSINCE " + known + b")") == [
            b"* 2 FETCH (FLAGS (\\Seen) MODSEQ (%d))" % modseq
        ]
        lines = await away.done(b"SELECT " + FOLDER + b" (QRESYNC (" + validity + b" " + known + b"))")
        assert lines[-1] == b"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (%d))" % modseq
        assert await away.done(b"SEARCH MODSEQ %d" % modseq) == [b"* SEARCH 2 (MODSEQ %d)" % modseq]
        await ann.done(b"SELECT a (CONDSTORE)")
        assert await ann.done(b"FETCH 1:* (FLAGS) (CHANGEDSINCE " + known + b")") == []


async def test_a_conditional_store_of_a_reader_looks_at_its_own_changes(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob, member(any_port, BOB) as other:
        await prepare(ann)
        await bob.done(b"SELECT " + FOLDER + b" (CONDSTORE)")
        await other.done(b"SELECT " + FOLDER + b" (CONDSTORE)")
        (told,) = await bob.done(b"FETCH 3 MODSEQ")
        known = told.split(b"MODSEQ (")[1].rstrip(b")")
        await bob.done(b"STORE 1 +FLAGS.SILENT (\\Seen)")
        lines = await other.ask(
            b"STORE 1:2 (UNCHANGEDSINCE " + known + b") +FLAGS.SILENT (\\Seen \\Answered)"
        )
        assert lines[-1] == b"a OK [MODIFIED 1] Conditional store failed"
        assert await ann.done(b"STATUS a (UNSEEN)") == [b"* STATUS a (UNSEEN 3)"]
        await bob.done(b"NOOP")
        assert await bob.done(b"FETCH 1:2 FLAGS") == [
            b"* 1 FETCH (FLAGS (\\Seen))",
            b"* 2 FETCH (FLAGS (\\Answered \\Seen))",
        ]


async def test_a_reader_who_was_away_learns_what_vanished(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await prepare(ann, 4)
        await bob.done(b"ENABLE QRESYNC")
        lines = await bob.done(b"SELECT " + FOLDER)
        known = next(line for line in lines if b"HIGHESTMODSEQ" in line).split()[3].rstrip(b"]")
        validity = next(line for line in lines if b"UIDVALIDITY" in line).split()[3].rstrip(b"]")
        await bob.done(b"STORE 1:3 +FLAGS.SILENT (\\Seen)")
        await bob.done(b"UNSELECT")
        await ann.done(b"SELECT a")
        await ann.done(b"MOVE 2 Trash")
        await ann.done(b"STORE 1 +FLAGS (\\Deleted)")
        await ann.done(b"EXPUNGE")
        lines = await bob.done(b"SELECT " + FOLDER + b" (QRESYNC (" + validity + b" " + known + b"))")
        assert b"* VANISHED (EARLIER) 1:2" in lines
        assert lines[-1].startswith(b"* 1 FETCH (UID 3 FLAGS (\\Seen) MODSEQ (")
        assert (await bob.done(b"STATUS " + FOLDER + b" (UNSEEN)"))[0].endswith(b"(UNSEEN 1)")


async def rows_left(tx: Transaction) -> tuple[int, int, int]:
    """Return how many messages are marked by readers, how many of them as seen, and what is counted."""
    marked = await tx.fetch_one("SELECT COUNT(*), CAST(COALESCE(SUM(seen), 0) AS BIGINT) FROM message_seen")
    counted = await tx.fetch_one("SELECT CAST(COALESCE(SUM(seen_count), 0) AS BIGINT) FROM folder_reader")
    assert marked is not None
    assert counted is not None
    return marked[0], marked[1], counted[0]


async def test_what_readers_have_seen_goes_with_the_message(any_host: MailHost, any_port: int) -> None:
    read = any_host.runtime.database.read
    async with member(any_port) as ann, member(any_port, BOB) as bob, member(any_port, CY) as cy:
        await prepare(ann, 6)
        for talk in (bob, cy):
            await talk.done(b"SELECT " + FOLDER)
            await talk.done(b"STORE 1:6 +FLAGS (\\Seen)")
        await cy.done(b"STORE 6 -FLAGS (\\Seen)")
        assert await read(rows_left) == (12, 11, 11)
        await ann.done(b"SELECT a")
        await ann.done(b"STORE 1:2 +FLAGS (\\Deleted)")
        await ann.done(b"EXPUNGE")
        assert await read(rows_left) == (8, 7, 7)
        await bob.done(b"NOOP")
        await bob.done(b"MOVE 1 INBOX")
        await ann.done(b"NOOP")
        assert await read(rows_left) == (6, 5, 5)
        await ann.done(b"MOVE 1 Archive")
        assert await read(rows_left) == (4, 3, 3)
        await ann.done(b"RENAME a b")
        assert await read(rows_left) == (4, 3, 3)
        await ann.done(b"DELETEACL b anyone")
        assert await read(rows_left) == (0, 0, 0)
        await ann.done(b"SETACL b anyone lrs")
        await cy.done(b"SELECT " + of(ANN, b"b"))
        await cy.done(b"STORE 1 +FLAGS (\\Seen)")
        await ann.done(b"DELETE b")
        assert await read(rows_left) == (0, 0, 0)


async def test_a_copy_into_ones_own_folder_is_seen_as_it_was(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await prepare(ann)
        await bob.done(b"SELECT " + FOLDER)
        await bob.done(b"STORE 1,3 +FLAGS (\\Seen)")
        lines = await bob.ask(b"COPY 1:3 INBOX")
        assert b"[COPYUID " in lines[-1]
        assert (await bob.done(b"STATUS INBOX (MESSAGES UNSEEN)"))[0].endswith(b"(MESSAGES 3 UNSEEN 1)")
        lines = await bob.done(b"MOVE 1:3 Archive")
        assert [line for line in lines if line.endswith(b"EXPUNGE")] == [
            b"* 3 EXPUNGE",
            b"* 2 EXPUNGE",
            b"* 1 EXPUNGE",
        ]
        assert (await bob.done(b"STATUS Archive (MESSAGES UNSEEN)"))[0].endswith(b"(MESSAGES 3 UNSEEN 1)")
        assert await ann.done(b"STATUS a (MESSAGES UNSEEN)") == [b"* STATUS a (MESSAGES 0 UNSEEN 0)"]


async def test_a_reader_sees_every_column_of_a_message(any_host: MailHost, any_port: int) -> None:
    """Whoever adds a column to `message` must add it to what readers select from."""

    async def columns(tx: Transaction, source: str, *arguments: int) -> int:
        rows = await tx.fetch(f"SELECT m.* FROM {source}", *arguments)
        return len(rows[0])

    async with member(any_port) as ann:
        await ann.append(b"INBOX", MESSAGE)
    read = any_host.runtime.database.read
    assert await read(columns, READER_MESSAGES, 1) == await read(columns, MESSAGES)


async def test_silent_does_not_silence_what_the_owner_changed_just_before(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await prepare(ann, 1)
        await ann.done(b"SELECT a")
        await bob.done(b"SELECT " + FOLDER)
        await ann.done(b"STORE 1 +FLAGS.SILENT (\\Answered)")
        assert await bob.done(b"STORE 1 +FLAGS.SILENT (\\Seen)") == [b"* 1 FETCH (FLAGS (\\Answered \\Seen))"]
        assert await bob.done(b"STORE 1 -FLAGS.SILENT (\\Seen)") == []
        await ann.done(b"STORE 1 -FLAGS.SILENT (\\Answered)")
        assert await bob.done(b"STORE 1 +FLAGS.SILENT (\\Flagged)") == [b"* 1 FETCH (FLAGS (\\Flagged))"]
