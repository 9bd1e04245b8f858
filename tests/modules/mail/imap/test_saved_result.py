"""What a search saved stands for: `$` in the place of numbers (RFC 5182)."""

import pytest

from freehold.modules.mail.imap.search import saved_result
from tests.modules.mail.imap.client import ImapTalk, member

MESSAGE = b"Subject: hello\r\n\r\nbody\r\n"


async def fill(talk: ImapTalk, count: int) -> None:
    for _ in range(count):
        await talk.append(b"INBOX", MESSAGE, b'" 1-Feb-2026 12:00:00 +0000" ')
    await talk.done(b"SELECT INBOX")


async def saved(talk: ImapTalk) -> bytes:
    """Return the UIDs that `$` stands for."""
    return (await talk.done(b"UID SEARCH $"))[-1].removeprefix(b"* SEARCH").strip()


async def test_a_saved_result_stands_in_every_command(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, 5)
        assert await talk.done(b"SEARCH RETURN (SAVE) 2,4:5") == []
        assert await talk.done(b"FETCH $ (UID)") == [
            b"* 2 FETCH (UID 2)", b"* 4 FETCH (UID 4)", b"* 5 FETCH (UID 5)"
        ]  # fmt: skip
        assert await talk.done(b"UID STORE $ +FLAGS.SILENT (\\Seen)") == []
        assert await talk.done(b"SEARCH SEEN") == [b"* SEARCH 2 4 5"]
        assert await talk.done(b"SEARCH NOT $") == [b"* SEARCH 1 3"]
        assert await talk.done(b"SEARCH OR 1 UID $") == [b"* SEARCH 1 2 4 5"]
        assert await talk.done(b"SORT (REVERSE ARRIVAL) UTF-8 $ NOT 4") == [b"* SORT 2 5"]
        assert await talk.done(b"UID THREAD REFS UTF-8 $") == [b"* THREAD (2)(4)(5)"]
        await talk.done(b"CREATE box")
        assert (await talk.ask(b"COPY $ box"))[-1].startswith(b"a OK [COPYUID ")
        assert (await talk.done(b"STATUS box (MESSAGES)")) == [b"* STATUS box (MESSAGES 3)"]
        await talk.done(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
        assert await talk.done(b"UID EXPUNGE $") == [
            b"* 5 EXPUNGE",
            b"* 4 EXPUNGE",
            b"* 2 EXPUNGE",
            b"* 2 RECENT",
        ]
        assert await saved(talk) == b""


async def test_a_saved_result_follows_expunges(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 6)
        await talk.done(b"SEARCH RETURN (SAVE) 2,4:5")
        await talk.done(b"STORE 1,4 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert await talk.done(b"FETCH $ (UID)") == [b"* 1 FETCH (UID 2)", b"* 3 FETCH (UID 5)"]
        assert await talk.done(b"SEARCH RETURN (SAVE COUNT) $ 1:2") == [b'* ESEARCH (TAG "a") COUNT 1']
        assert await saved(talk) == b"2"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (b"SAVE", b"1 2 3 4 5"),
        (b"SAVE MIN", b"1"),
        (b"SAVE MAX", b"5"),
        (b"SAVE MIN MAX", b"1 5"),
        (b"SAVE MIN COUNT", b"1 2 3 4 5"),
        (b"SAVE ALL MAX", b"1 2 3 4 5"),
        (b"SAVE PARTIAL 2:3", b"2 3"),
        (b"SAVE PARTIAL -1:-2", b"4 5"),
        (b"SAVE PARTIAL 2:3 MIN", b"1 2 3"),
        (b"SAVE PARTIAL 9:10", b""),
    ],
)
async def test_what_is_returned_decides_what_is_saved(port: int, options: bytes, kept: bytes) -> None:
    async with member(port) as talk:
        await fill(talk, 5)
        await talk.done(b"UID SEARCH RETURN (" + options + b") ALL")
        assert await saved(talk) == kept


async def test_a_sorted_result_is_saved_too(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 3)
        assert await talk.done(b"SORT RETURN (SAVE MIN) (REVERSE SIZE REVERSE ARRIVAL) UTF-8 2:3") == [
            b'* ESEARCH (TAG "a") MIN 2'
        ]
        assert await saved(talk) == b"2"


async def test_only_a_failed_search_that_should_save_forgets_the_result(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 2)
        await talk.done(b"SEARCH RETURN (SAVE) 2")
        assert (await talk.refused(b"SEARCH RETURN (SAVE) NONSENSE")).startswith(b"BAD")
        assert (await talk.refused(b"SEARCH RETURN (COUNT) CHARSET KLINGON ALL")).startswith(b"NO")
        await talk.done(b"SEARCH ALL")
        assert await saved(talk) == b"2"
        assert (await talk.refused(b"SEARCH RETURN (SAVE) CHARSET KLINGON ALL")).startswith(b"NO [BADCHARSET")
        assert await saved(talk) == b""


async def test_another_folder_begins_with_nothing_saved(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 2)
        await talk.done(b"SEARCH RETURN (SAVE) ALL")
        await talk.done(b"SELECT INBOX")
        assert await saved(talk) == b""
        assert await talk.done(b"FETCH $ (UID)") == []


async def test_a_saved_result_is_no_part_of_a_set(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 1)
        assert (await talk.refused(b"FETCH $,1 (UID)")).startswith(b"BAD")
        assert (await talk.refused(b"FETCH 1:$ (UID)")).startswith(b"BAD")


async def test_a_result_that_is_too_scattered_is_not_saved_and_the_last_one_lost(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_result, "MAX_SAVED_RANGES", 1)
    async with member(port) as talk:
        await fill(talk, 3)
        await talk.done(b"SEARCH RETURN (SAVE) 2")
        assert (await talk.refused(b"SEARCH RETURN (SAVE COUNT) 1,3")).startswith(b"NO [NOTSAVED]")
        assert await saved(talk) == b""
