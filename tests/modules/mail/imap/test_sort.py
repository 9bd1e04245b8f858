"""SORT: criteria, ties, what is returned, and what Python's own sort says."""

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.modules.mail.imap.search import sort_rows
from freehold.modules.mail.search.read_rows import read_index_rows
from freehold.storage.database import Row
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member

MESSAGES = (
    b"From: Zoe <ann@x.test>\r\nTo: b@y.test\r\nCc: m@z.test\r\nSubject: Re: beta\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\nxx\r\n",
    b"From: =?utf-8?b?w4RubmU=?= <zed@x.test>\r\nTo: C <a@y.test>\r\nSubject: alpha\r\n"
    b"Date: Mon, 02 Nov 2026 09:00:00 -0500\r\n\r\nx\r\n",
    b"From: Bob@x.test\r\nTo: D <c@y.test>\r\nCc: L@z.test\r\nSubject: ALPHA\r\n"
    b"Date: Mon, 02 Nov 2026 08:00:00 +0000\r\n\r\nxxx\r\n",
    b"Subject: [list] Fwd: Beta\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
)


async def fill(talk: ImapTalk, *messages: bytes) -> None:
    for number, message in enumerate(messages):
        day = (3, 1, 4, 2)[number % 4]
        await talk.append(b"INBOX", message, b'" %d-Feb-2026 12:00:00 +0000" ' % day)
    await talk.done(b"SELECT INBOX")


@pytest.mark.parametrize(
    ("criteria", "order"),
    [
        (b"ARRIVAL", b" 2 4 1 3"),
        (b"REVERSE ARRIVAL", b" 3 1 4 2"),
        (b"DATE", b" 4 3 1 2"),
        (b"SIZE", b" 3 1 2 4"),
        (b"SUBJECT", b" 2 3 1 4"),
        (b"REVERSE SUBJECT", b" 1 4 2 3"),
        (b"SUBJECT REVERSE SIZE", b" 2 3 4 1"),
        (b"SUBJECT REVERSE SUBJECT REVERSE SIZE SIZE SUBJECT", b" 2 3 4 1"),
        (b"FROM", b" 4 1 3 2"),
        (b"TO", b" 4 2 1 3"),
        (b"CC", b" 2 4 3 1"),
        (b"DISPLAYFROM", b" 4 2 3 1"),
        (b"DISPLAYTO", b" 4 1 2 3"),
    ],
)
async def test_each_criterion(any_port: int, criteria: bytes, order: bytes) -> None:
    async with member(any_port) as talk:
        await fill(talk, *MESSAGES)
        assert await talk.done(b"SORT (" + criteria + b") US-ASCII ALL") == [b"* SORT" + order]


async def test_sort_tells_uids_and_a_part_and_the_highest_modseq(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, *MESSAGES)
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert await talk.done(b"UID SORT (SUBJECT) UTF-8 ALL") == [b"* SORT 2 3 4"]
        assert await talk.done(b"UID SORT (REVERSE ARRIVAL) UTF-8 UID 3:9") == [b"* SORT 3 4"]
        assert await talk.done(b"SORT (SIZE) UTF-8 SEEN") == [b"* SORT"]
        lines = await talk.done(b"SORT (REVERSE SIZE) UTF-8 MODSEQ 1")
        assert lines[-1].startswith(b"* SORT 3 1 2 (MODSEQ ")
        assert await talk.done(b"SORT RETURN (MIN MAX COUNT ALL) (REVERSE SIZE) UTF-8 ALL") == [
            b'* ESEARCH (TAG "a") MIN 3 MAX 2 COUNT 3 ALL 3,1:2'
        ]
        assert await talk.done(b"UID SORT RETURN (PARTIAL -1:-2) (REVERSE SIZE) UTF-8 ALL") == [
            b'* ESEARCH (TAG "a") UID PARTIAL (-1:-2 2:3)'
        ]
        assert (await talk.refused(b"SORT (SIZE) KLINGON ALL")).startswith(b"NO [BADCHARSET")


async def test_few_messages_among_many_are_read_a_bounded_number_at_a_time(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    async def counted(*arguments: Any) -> list[Row]:
        rows = await read_index_rows(*arguments)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(sort_rows, "read_index_rows", counted)
    monkeypatch.setattr(sort_rows, "MAX_ROWS_AT_ONCE", 4)
    async with member(port) as talk:
        await fill(talk, *MESSAGES * 4)
        assert await talk.done(b"SORT (SIZE) UTF-8 1,3,5,7,9,10,14:16") == [b"* SORT 3 7 15 1 5 9 10 14 16"]
        assert await talk.done(b"THREAD ORDEREDSUBJECT UTF-8 1,4,16") == [b"* THREAD (4 (16)(1))"]
    assert max(read) == 4


async def test_nobody_sorts_the_mail_of_another(host: MailHost) -> None:
    async with host.listening(imap(host), tls=False) as port:
        async with member(port) as talk:
            await fill(talk, *MESSAGES)
        async with member(port, b"bob@example.test", b"INBOX") as talk:
            assert await talk.done(b"SORT (SUBJECT) UTF-8 ALL") == [b"* SORT"]
            assert await talk.done(b"THREAD REFERENCES UTF-8 ALL") == [b"* THREAD"]


async def test_more_messages_than_the_limit_are_not_sorted(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort_rows, "MAX_SORTED_MESSAGES", 3)
    async with member(port) as talk:
        await fill(talk, *MESSAGES)
        await talk.done(b"SEARCH RETURN (SAVE) ALL")
        assert (await talk.refused(b"SORT RETURN (SAVE) (SIZE) UTF-8 ALL")).startswith(b"NO [LIMIT]")
        assert await talk.done(b"SEARCH $") == [b"* SEARCH"]
        assert (await talk.refused(b"THREAD REFS UTF-8 ALL")).startswith(b"NO [LIMIT]")
        assert await talk.done(b"SORT (SIZE) UTF-8 1:3") == [b"* SORT 3 1 2"]
        monkeypatch.setattr(sort_rows, "MAX_KEY_CHARACTERS", 13)
        assert (await talk.refused(b"SORT (SUBJECT) UTF-8 1:3")).startswith(b"NO [LIMIT]")
        assert await talk.done(b"SORT (SIZE) UTF-8 1:3") == [b"* SORT 3 1 2"]


TEXTS = st.text(st.sampled_from("abAB zßäÄé"), min_size=1, max_size=4).filter(
    lambda text: text == text.strip()
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, st.integers(0, 2)), min_size=1, max_size=6), st.booleans())
async def test_subjects_and_dates_are_sorted_as_python_sorts_them(
    host: MailHost, rows: list[tuple[str, int]], reverse: bool
) -> None:
    async with host.listening(imap(host), tls=False) as port, member(port) as talk:
        await talk.done(b"STATUS INBOX (MESSAGES)")
        await talk.ask(b"DELETE box")
        await talk.done(b"CREATE box")
        for subject, day in rows:
            word = b"=?utf-8?b?" + base64.b64encode(subject.encode()) + b"?="
            head = b"Subject: %b\r\nDate: Mon, %02d Nov 2026 10:00:00 +0000\r\n\r\n" % (word, 2 + day)
            await talk.append(b"box", head)
        await talk.done(b"SELECT box")
        numbers = sorted(range(1, len(rows) + 1), key=lambda number: rows[number - 1][1])
        numbers.sort(key=lambda number: plain(rows[number - 1][0]), reverse=reverse)
        words = b"REVERSE SUBJECT DATE" if reverse else b"SUBJECT DATE"
        assert await talk.done(b"SORT (" + words + b") UTF-8 ALL") == [
            b"* SORT" + b"".join(b" %d" % number for number in numbers)
        ]


def plain(subject: str) -> str:
    """Return the text without regard to case, letters apart from their accents."""
    return " ".join(subject.split()).upper().replace("Ä", "A\u0308").replace("É", "E\u0301")
