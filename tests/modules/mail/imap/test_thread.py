"""THREAD: conversations and subjects, by number and by UID."""

import pytest

from freehold.modules.mail.imap.thread import command
from tests.modules.mail.imap.client import ImapTalk, member


def message(number: int, subject: bytes, *references: int) -> bytes:
    named = b" ".join(b"<m%d@x.test>" % reference for reference in references)
    date = b"Mon, %02d Nov 2026 10:00:00 +0000" % number
    fields = (
        b"Message-ID: <m%d@x.test>" % number,
        b"Subject: " + subject,
        b"References: " + named,
        b"Date: " + date,
    )
    return b"\r\n".join((*fields, b"", b""))


MESSAGES = (
    message(1, b"plans"),
    message(2, b"Re: plans", 1),
    message(3, b"Re: plans", 1, 2),
    message(4, b"Re: other", 1),
    message(5, b"lunch"),
    message(6, b"Re: lunch"),
    message(7, b"a", 20),
    message(8, b"b", 20),
)


async def fill(talk: ImapTalk) -> None:
    for each in MESSAGES:
        await talk.append(b"INBOX", each)
    await talk.done(b"SELECT INBOX")


@pytest.mark.parametrize(
    ("algorithm", "told"),
    [
        (b"REFERENCES", b" (1 (2 3)(4))(5 6)((7)(8))"),
        (b"REFS", b" (1 (2 3)(4))(5)(6)((7)(8))"),
        (b"ORDEREDSUBJECT", b" (1 (2)(3))(4)(5 6)(7)(8)"),
    ],
)
async def test_each_algorithm(any_port: int, algorithm: bytes, told: bytes) -> None:
    async with member(any_port) as talk:
        await fill(talk)
        assert await talk.done(b"THREAD " + algorithm + b" UTF-8 ALL") == [b"* THREAD" + told]


async def test_only_what_matches_is_threaded_and_told_by_uid(port: int) -> None:
    async with member(port) as talk:
        await fill(talk)
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert await talk.done(b"UID THREAD REFERENCES UTF-8 SUBJECT plans") == [b"* THREAD (2 3)"]
        assert await talk.done(b"THREAD REFERENCES UTF-8 SEEN") == [b"* THREAD"]
        assert (await talk.refused(b"THREAD REFERENCES KLINGON ALL")).startswith(b"NO [BADCHARSET")
        assert (await talk.refused(b"THREAD JWZ UTF-8 ALL")).startswith(b"BAD")


async def test_messages_that_name_more_ids_than_the_limit_are_not_threaded(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "MAX_NAMED_IDS", 1)
    async with member(port) as talk:
        await fill(talk)
        assert await talk.done(b"THREAD REFERENCES UTF-8 1:3") == [b"* THREAD (1 2 3)"]
        await talk.append(b"INBOX", message(9, b"x", 1, 2, 3))
        await talk.done(b"NOOP")
        assert (await talk.refused(b"THREAD REFERENCES UTF-8 ALL")).startswith(b"NO [LIMIT]")
