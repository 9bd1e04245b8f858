"""The index over a real database and a real socket: answers never depend on how far it is."""

import asyncio

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import remove_mailbox
from freehold.modules.mail.folders.lost_changes import note_boot
from freehold.modules.mail.search import indexer as indexer_module
from freehold.modules.mail.search.batch import add_batch, next_batch
from freehold.modules.mail.search.compact import MERGED, mailboxes_changed, remove_dead
from freehold.modules.mail.search.document import Document, make_document
from freehold.modules.mail.search.manage import forget_index
from freehold.modules.mail.search.segment import build_segment
from freehold.modules.mail.search.store import IndexChangedError
from freehold.protocols.imap.search_keys import BodyContains, HeaderContains, TextContains
from freehold.storage.blobs import View
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, member
from tests.modules.mail.search.folder import folder_id, indexer, put
from tests.modules.mail.search.letters import some_letters
from tests.modules.mail.search.test_document import judge

ANN, BOB = "ann@example.test", "bob@example.test"
TABLES = ("search_document", "search_segment", "search_words", "search_folder", "message_index")


async def found(talk: ImapTalk, key: bytes, text: str) -> list[int]:
    """Search for a text; returns message numbers."""
    data = text.encode()
    talk.send(b"a SEARCH CHARSET UTF-8 " + key + b" {%d+}\r\n" % len(data) + data + b"\r\n")
    lines = await talk.replies()
    assert lines[-1].startswith(b"a OK"), lines
    return [int(number) for number in lines[0].split()[2:]]


async def counts(host: MailHost) -> dict[str, int]:
    """Return how many rows each table of the index has."""

    async def count(tx: Transaction) -> dict[str, int]:
        rows = [await tx.fetch_one(f"SELECT COUNT(*) FROM {table}") for table in TABLES]
        return {table: row[0] for table, row in zip(TABLES, rows, strict=True) if row is not None}

    return await host.runtime.database.read(count)


async def test_answers_are_the_same_without_index_with_half_and_with_all_of_it(
    any_host: MailHost, any_port: int
) -> None:
    letters = some_letters(70)
    half = len(letters) // 2
    await put(any_host, ANN, *(letter.data for letter, _ in letters[:half]))
    expected = {}
    for text in {text for _, text in letters if text.strip()}:
        keys: dict[bytes, HeaderContains | BodyContains | TextContains] = {
            b"TEXT": TextContains(text),
            b"BODY": BodyContains(text),
            b"SUBJECT": HeaderContains("subject", text),
            b"FROM": HeaderContains("from", text),
            b"HEADER X-Tag": HeaderContains("x-tag", text),
            b"FUZZY TEXT": TextContains(text, fuzzy=True),
        }
        for name, key in keys.items():
            expected[name, text] = [
                number for number, (each, _) in enumerate(letters, 1) if judge(each.data, key)
            ]
    index = indexer(any_host)
    async with member(any_port, select=b"INBOX") as talk:
        await index.index_all()
        await put(any_host, ANN, *(letter.data for letter, _ in letters[half:]))
        await talk.done(b"NOOP")
        for (name, text), numbers in expected.items():
            assert await found(talk, name, text) == numbers, (name, text)
        await index.index_all()
        for (name, text), numbers in expected.items():
            assert await found(talk, name, text) == numbers, (name, text)
            others = [number for number in range(1, len(letters) + 1) if number not in numbers]
            assert await found(talk, b"NOT " + name, text) == others
        await forget_index(any_host.runtime.database, 1)
        assert (await counts(any_host))["search_words"] == 0
        for (name, text), numbers in list(expected.items())[::5]:
            assert await found(talk, name, text) == numbers, (name, text)


async def test_keys_around_the_index_still_count(any_host: MailHost, any_port: int) -> None:
    await put(any_host, ANN, *(b"Subject: s%d\r\n\r\nred %d" % (number, number % 3) for number in range(9)))
    await indexer(any_host).index_all()
    await put(any_host, ANN, b"Subject: late\r\n\r\nred 1")
    async with member(any_port, select=b"INBOX") as talk:
        await talk.done(b"STORE 2,5 +FLAGS (\\Flagged)")
        for command, numbers in (
            (b'TEXT "red 1" FLAGGED', b" 2 5"),
            (b'OR BODY "red 1" SUBJECT s2', b" 2 3 5 8 10"),
            (b'NOT BODY "red 1" 1:6', b" 1 3 4 6"),
            (b'OR (BODY "red 2" SEEN) (SUBJECT late)', b" 10"),
            (b'HEADER SUBJECT "" TEXT red UID 9:*', b" 9 10"),
            (b'FUZZY SUBJECT "lately"', b" 10"),
            (b"TEXT nowhere", b""),
            (b"SENTSINCE 1-Jan-2000 TEXT red", b""),
        ):
            assert await talk.done(b"SEARCH " + command) == [b"* SEARCH" + numbers], command


async def test_copies_and_moves_need_no_second_indexing(any_host: MailHost, any_port: int) -> None:
    await put(any_host, ANN, b"\r\nred", b"\r\ngreen", b"\r\nblue")
    index = indexer(any_host)
    await index.index_all()
    before = await counts(any_host)
    async with member(any_port, select=b"INBOX") as talk:
        await talk.done(b"COPY 1:2 Archive")
        await talk.done(b"MOVE 3 Archive")
        await talk.done(b"SELECT Archive")
        assert await found(talk, b"BODY", "blue") == [3]
        await index.index_all()
        assert await found(talk, b"BODY", "blue") == [3]
        assert await found(talk, b"BODY", "re") == [1, 2]
        await talk.done(b"SELECT INBOX")
        assert await found(talk, b"BODY", "blue") == []
        assert await found(talk, b"BODY", "green") == [2]
    assert await counts(any_host) == before | {"search_folder": 2}


async def test_what_is_expunged_leaves_the_index(any_host: MailHost, any_port: int) -> None:
    await put(any_host, ANN, b"\r\nred", b"\r\ngreen", b"\r\nblue")
    index = indexer(any_host)
    await index.index_all()
    async with member(any_port, select=b"INBOX") as talk:
        await talk.done(b"COPY 3 Archive")
        await talk.done(b"STORE 2:3 +FLAGS (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert await found(talk, b"TEXT", "green") == []
        await index.sweep()
        assert (await counts(any_host))["search_document"] == 2
        words = await any_host.runtime.database.read(all_words)
        assert b"green" not in words
        assert b"blue" in words
        await talk.done(b"DELETE Archive")
        await talk.done(b"STORE 1 +FLAGS (\\Deleted)")
        await talk.done(b"EXPUNGE")
        await index.sweep()
    left = await counts(any_host)
    assert left == {**dict.fromkeys(TABLES, 0), "search_folder": 1}


async def test_all_mailboxes_are_swept_however_many_have_changed(
    any_host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer_module, "MAILBOXES_AT_ONCE", 1)
    await put(any_host, ANN, b"\r\nred")
    await put(any_host, BOB, b"\r\nred")
    index = indexer(any_host)
    await index.index_all()
    await index.sweep()
    assert await any_host.runtime.database.read(mailboxes_changed, above_id=0, most=9) == []


async def test_skipped_modseqs_have_no_mailbox_swept_again(any_host: MailHost) -> None:
    database = any_host.runtime.database
    await put(any_host, ANN, b"\r\nred")
    await put(any_host, BOB, b"\r\nred")
    index = indexer(any_host)
    await index.index_all()
    await index.sweep()
    for boot in ("one", "two"):
        await database.write(note_boot, boot)
        assert await database.read(mailboxes_changed, above_id=0, most=9) == []
    await put(any_host, ANN, b"\r\ngreen")
    assert len(await database.read(mailboxes_changed, above_id=0, most=9)) == 1
    await database.write(note_boot, "three")
    assert len(await database.read(mailboxes_changed, above_id=0, most=9)) == 1
    await index.sweep()
    assert await database.read(mailboxes_changed, above_id=0, most=9) == []


async def test_a_mailbox_takes_its_index_with_it(any_host: MailHost) -> None:
    await put(any_host, ANN, b"\r\nred")
    await put(any_host, BOB, b"\r\nred")
    await indexer(any_host).index_all()
    await any_host.runtime.database.write(remove_mailbox, any_host.runtime.blobs, HOST_ADMINISTRATOR, ANN)
    left = await counts(any_host)
    assert left["search_document"] == left["search_segment"] == left["message_index"] == 1


async def test_people_never_find_each_others_words(any_host: MailHost, any_port: int) -> None:
    await put(any_host, ANN, b"\r\nsecret of ann", b"\r\nother")
    await put(any_host, BOB, b"\r\nother", b"\r\nsecret of bob")
    await indexer(any_host).index_all()
    for who, own in ((ANN, 1), (BOB, 2)):
        async with member(any_port, who.encode(), select=b"INBOX") as talk:
            assert await found(talk, b"TEXT", "secret") == [own]


async def test_segments_are_merged_and_stay_right(any_host: MailHost, any_port: int) -> None:
    index = indexer(any_host)
    for number in range(2 * MERGED + 3):
        await put(any_host, ANN, b"Subject: n%dn\r\n\r\ncommon" % number)
        await index.index_all()
    assert (await counts(any_host))["search_segment"] < MERGED
    async with member(any_port, select=b"INBOX") as talk:
        assert len(await found(talk, b"TEXT", "common")) == 2 * MERGED + 3
        for number in range(2 * MERGED + 3):
            assert await found(talk, b"SUBJECT", f"n{number}n") == [number + 1]


async def test_of_two_hosts_with_one_batch_one_adds_it(any_host: MailHost) -> None:
    await put(any_host, ANN, b"\r\nred")
    database = any_host.runtime.database
    batch = await database.read(next_batch, await folder_id(any_host, ANN))
    assert batch is not None
    await indexer(any_host).index_all()
    with pytest.raises(IndexChangedError):
        await database.write(add_batch, batch, [], build_segment([]))
    assert (await counts(any_host))["search_document"] == 1


async def test_what_comes_back_while_the_dead_are_removed_is_not_lost(any_host: MailHost) -> None:
    await put(any_host, ANN, b"\r\nred", b"\r\ngreen")
    await indexer(any_host).index_all()
    assert await remove_dead(any_host.runtime.database, 1) == 0
    assert (await counts(any_host))["search_document"] == 2


async def test_a_message_that_cannot_be_examined_is_looked_through(
    any_host: MailHost, any_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(blob_id: int, buffer: View) -> Document:
        if b"poison" in buffer[:]:
            raise RecursionError
        return make_document(blob_id, buffer)

    monkeypatch.setattr(indexer_module, "make_document", fail)
    await put(any_host, ANN, b"\r\nred", b"\r\npoison ivy", b"\r\ngreen")
    await indexer(any_host).index_all()
    assert (await counts(any_host))["search_document"] == 3
    async with member(any_port, select=b"INBOX") as talk:
        assert await found(talk, b"BODY", "ivy") == [2]
        assert await found(talk, b"BODY", "e") == [1, 3]
        assert await found(talk, b"BODY", "gre") == [3]


async def test_a_large_message_is_found_beyond_what_is_indexed(
    any_host: MailHost, any_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freehold.modules.mail.search.document.MAX_TEXT_CHARACTERS", 200_000)
    large = b"\r\nfirst " + b"0123456789 abcdefgh\r\n" * 15_000 + b"last"
    await put(any_host, ANN, b"\r\nsmall", large)
    await indexer(any_host).index_all()
    async with member(any_port, select=b"INBOX") as talk:
        assert await found(talk, b"TEXT", "last") == [2]
        assert await found(talk, b"TEXT", "first") == [2]
        assert await found(talk, b"TEXT", "absent") == []


async def test_news_of_mail_has_it_indexed(host: MailHost, port: int) -> None:
    index = indexer_module.Indexer(host.runtime, quiet_seconds=0, rest=0)
    task = asyncio.create_task(index.run())
    async with member(port, select=b"INBOX") as talk:
        await talk.append(b"INBOX", b"\r\nred\r\n")
        async with asyncio.timeout(20):
            while (await counts(host))["search_document"] == 0:
                await talk.done(b"NOOP")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def all_words(tx: Transaction) -> bytes:
    return b"".join(row[0] for row in await tx.fetch("SELECT words FROM search_words"))


async def test_what_the_index_leaves_unanswered_is_looked_through(
    host: MailHost, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(host, ANN, *(b"Subject: s%d\r\n\r\nred" % number for number in range(4)))
    await indexer(host).index_all()
    async with member(port, select=b"INBOX") as talk:
        many = b" ".join(b"OR SUBJECT n%d" % number for number in range(100))
        assert await talk.done(b"SEARCH " + many + b" SUBJECT s2") == [b"* SEARCH 3"]
        monkeypatch.setattr("freehold.modules.mail.search.lookup.MAX_ANSWERED", 3)
        assert await found(talk, b"BODY", "red") == [1, 2, 3, 4]
        assert await talk.done(b"SEARCH BODY red SUBJECT s2") == [b"* SEARCH 3"]
