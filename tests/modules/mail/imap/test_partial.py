"""PARTIAL: pages of results, and of messages to be fetched (RFC 9394)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.imap.messages.rows import select_page
from freehold.protocols.imap.partial import PartialRange
from tests.modules.mail.imap.client import member
from tests.modules.mail.imap.test_saved_result import fill

PAGES = st.builds(
    lambda one, other, from_end: PartialRange(min(one, other), max(one, other), from_end),
    st.integers(1, 20),
    st.integers(1, 20),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (b"PARTIAL 1:1) ALL", b"(1:1 1)"),
        (b"PARTIAL 4:2) ALL", b"(2:4 2:4)"),
        (b"PARTIAL 6:6) ALL", b"(6:6 NIL)"),
        (b"PARTIAL 2:10) 1:2,4:5", b"(2:10 2,4:5)"),
        (b"PARTIAL -1:-2) ALL", b"(-1:-2 4:5)"),
        (b"PARTIAL -4:-9) ALL", b"(-4:-9 1:2)"),
        (b"PARTIAL -6:-9) ALL", b"(-6:-9 NIL)"),
        (b"PARTIAL 1:2) SEEN", b"(1:2 NIL)"),
    ],
)
async def test_a_page_of_a_search(port: int, keys: bytes, told: bytes) -> None:
    async with member(port) as talk:
        await fill(talk, 5)
        assert await talk.done(b"SEARCH RETURN (" + keys) == [b'* ESEARCH (TAG "a") PARTIAL ' + told]


@pytest.mark.parametrize(
    ("command", "uids"),
    [
        (b"UID FETCH 1:* (UID) (PARTIAL 1:2)", [1, 3]),
        (b"UID FETCH 1:* (UID) (PARTIAL -1:-2)", [4, 5]),
        (b"UID FETCH 3:* (UID) (PARTIAL 3:9)", [5]),
        (b"UID FETCH 3:* (UID) (PARTIAL 4:9)", []),
        (b"FETCH 1,3:4 (UID) (PARTIAL 2:2)", [4]),
        (b"UID FETCH 1:* (BODY.PEEK[TEXT]) (PARTIAL -1:-1)", [5]),
        (b"UID FETCH 1:* (UID) (PARTIAL 1:3 CHANGEDSINCE 1)", [1, 3, 4]),
    ],
)
async def test_a_page_of_messages_is_fetched(port: int, command: bytes, uids: list[int]) -> None:
    async with member(port) as talk:
        await fill(talk, 5)
        await talk.done(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        lines = [line for line in await talk.done(command) if b"FETCH" in line]
        assert [int(line.partition(b"UID ")[2].split(b" ")[0].rstrip(b")")) for line in lines] == uids


async def test_the_modseq_told_is_that_of_the_page(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 3)
        lines = await talk.done(b"SEARCH RETURN (PARTIAL 1:2) MODSEQ 1")
        page = await talk.done(b"FETCH 2 (MODSEQ)")
        modseq = page[-1].partition(b"MODSEQ (")[2].partition(b")")[0]
        assert lines[-1] == b'* ESEARCH (TAG "a") PARTIAL (1:2 1:2) MODSEQ ' + modseq


@given(PAGES, st.lists(st.integers(0, 5), max_size=5))
def test_a_page_of_scattered_messages_is_a_slice_of_them_all(page: PartialRange, lengths: list[int]) -> None:
    positions, start = [], 0
    for length in lengths:
        positions.append(range(start, start + length))
        start += length + 1
    everything = [index for each in positions for index in each]
    newest_first = everything[::-1] if page.from_end else everything
    expected = sorted(newest_first[page.first - 1 : page.last])
    assert [index for each in select_page(positions, page) for index in each] == expected
