"""What sessions remember of folders is what they would read: SELECT, SORT and THREAD after any changes."""

import random

import pytest

from freehold.modules.mail.folders.access import open_selectable
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.selected.folder_state import FolderState, read_state
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member

STEPS = 25
FLAGS = (b"\\Seen", b"\\Flagged", b"blue", b"red", b"\\Seen blue")


async def read(host: MailHost, known: FolderState | None) -> FolderState:
    async def state(tx: Transaction) -> FolderState:
        row = await tx.fetch_one("SELECT id FROM mailbox WHERE address = ?", "ann@example.test")
        assert row is not None
        return await read_state(tx, await open_selectable(tx, row[0], "INBOX", Right.READ), known)

    return await host.runtime.database.read(state)


async def change(talk: ImapTalk, dice: random.Random, count: int) -> None:
    first, last = sorted((dice.randint(1, max(count, 1)), dice.randint(1, max(count, 1))))
    where, flags = b"%d:%d" % (first, last), dice.choice(FLAGS)
    match dice.randrange(5) if count else 0:
        case 0:
            await talk.append(b"INBOX", b"Subject: x\r\n\r\n", b"(%b) " % flags)
        case 1:
            await talk.done(b"STORE %b +FLAGS.SILENT (%b)" % (where, flags))
        case 2:
            await talk.done(b"STORE %b -FLAGS.SILENT (%b)" % (where, flags))
        case 3:
            await talk.done(b"COPY %b INBOX" % where)
        case _:
            await talk.done(b"STORE %d +FLAGS.SILENT (\\Deleted)" % first)
            await talk.done(b"EXPUNGE")


@pytest.mark.parametrize("seed", range(3))
async def test_going_on_from_what_was_known_gives_what_reading_all_gives(
    any_host: MailHost, seed: int
) -> None:
    dice = random.Random(seed)
    async with any_host.listening(imap(any_host), tls=False) as port, member(port, select=b"INBOX") as talk:
        known = earlier = await read(any_host, None)
        for _ in range(STEPS):
            await change(talk, dice, len(known.uids))
            fresh = await read(any_host, None)
            for before in (known, earlier):
                state = await read(any_host, before)
                assert plain(state) == plain(fresh)
                assert state.keywords >= fresh.keywords
            if dice.random() < 0.3:
                earlier = known
            known = fresh


def plain(state: FolderState) -> tuple[int, int, int | None, list[tuple[int, int]]]:
    count = len(state.uids)
    return state.modseq, state.uid_next, state.first_unseen, list(state.uids.uid_ranges(0, count))


async def test_what_one_session_does_to_its_view_no_other_one_sees(port: int) -> None:
    async with member(port) as ann, member(port) as again:
        for _ in range(4):
            await ann.append(b"INBOX", b"Subject: x\r\n\r\n")
        assert b"* 4 EXISTS" in await ann.done(b"SELECT INBOX")
        assert b"* 4 EXISTS" in await again.done(b"SELECT INBOX")
        await ann.done(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        assert await ann.done(b"EXPUNGE") == [b"* 2 EXPUNGE", b"* 3 RECENT"]
        assert await again.done(b"FETCH 1:4 (UID)") == [
            b"* 1 FETCH (UID 1)",
            b"* 3 FETCH (UID 3)",
            b"* 4 FETCH (UID 4)",
        ]
        assert b"* 3 EXISTS" in await again.done(b"SELECT INBOX")
        assert b"* 3 EXISTS" in await ann.done(b"SELECT INBOX")
        assert await ann.done(b"UID SEARCH ALL") == [b"* SEARCH 1 3 4"]


async def test_a_folder_of_the_same_name_is_another_one(port: int) -> None:
    async with member(port) as talk:
        for subjects in ((b"a", b"b"), (b"b", b"a", b"c")):
            await talk.done(b"CREATE box")
            for subject in subjects:
                await talk.append(b"box", b"Subject: " + subject + b"\r\n\r\n")
            assert b"* %d EXISTS" % len(subjects) in await talk.done(b"SELECT box")
            order = sorted(range(1, len(subjects) + 1), key=lambda number: subjects[number - 1])
            told = b"".join(b" %d" % number for number in order)
            assert await talk.done(b"SORT (SUBJECT) UTF-8 ALL") == [b"* SORT" + told]
            await talk.done(b"CLOSE")
            await talk.done(b"DELETE box")


async def test_sorting_and_threading_again_tells_of_what_came_and_went(port: int) -> None:
    async with member(port) as talk, member(port) as other:
        for subject in (b"c", b"b", b"a"):
            await talk.append(b"INBOX", b"Subject: " + subject + b"\r\n\r\n")
        await talk.done(b"SELECT INBOX")
        await other.done(b"SELECT INBOX")
        for _ in range(2):
            assert await talk.done(b"SORT (SUBJECT) UTF-8 ALL") == [b"* SORT 3 2 1"]
            assert await talk.done(b"SORT (REVERSE SUBJECT) UTF-8 ALL") == [b"* SORT 1 2 3"]
            assert await talk.done(b"THREAD ORDEREDSUBJECT UTF-8 ALL") == [b"* THREAD (1)(2)(3)"]
        await other.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await other.done(b"EXPUNGE")
        assert (await talk.done(b"SORT (SUBJECT) UTF-8 ALL"))[0] == b"* SORT 3 2"
        assert (await talk.done(b"UID THREAD ORDEREDSUBJECT UTF-8 ALL"))[0] == b"* THREAD (2)(3)"
        await talk.done(b"NOOP")
        await talk.append(b"INBOX", b"Subject: aa\r\n\r\n")
        assert await talk.done(b"SORT (SUBJECT) UTF-8 ALL") == [b"* SORT 2 3 1"]
        assert await talk.done(b"THREAD ORDEREDSUBJECT UTF-8 ALL") == [b"* THREAD (1)(2)(3)"]
        assert await talk.done(b"UID THREAD ORDEREDSUBJECT UTF-8 ALL") == [b"* THREAD (2)(3)(4)"]
