"""UIDONLY: the client and the server speak of messages by UID alone (RFC 9586)."""

import pytest

from tests.modules.mail.imap.client import member
from tests.modules.mail.imap.test_saved_result import fill


async def test_nothing_is_told_by_number(any_port: int) -> None:
    async with member(any_port) as talk, member(any_port) as other:
        await fill(talk, 5)
        await talk.done(b"STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert await talk.done(b"ENABLE UIDONLY") == [b"* ENABLED UIDONLY"]
        lines = await talk.done(b"SELECT INBOX")
        assert not any(b"UNSEEN" in line for line in lines)
        assert b"* 3 EXISTS" in lines
        assert await talk.done(b"UID FETCH 3:4 (FLAGS)") == [
            b"* 3 UIDFETCH (FLAGS ())", b"* 4 UIDFETCH (FLAGS ())"
        ]  # fmt: skip
        assert await talk.done(b"UID FETCH 5 (UID)") == [b"* 5 UIDFETCH (UID 5)"]
        assert await talk.done(b"UID FETCH 5 (BODY.PEEK[TEXT])") == [
            b"* 5 UIDFETCH (BODY[TEXT] {6}\r\nbody\r\n)"
        ]
        assert await talk.done(b"UID STORE 4 +FLAGS (\\Flagged)") == [b"* 4 UIDFETCH (FLAGS (\\Flagged))"]
        await other.done(b"SELECT INBOX")
        await other.done(b"STORE 1 +FLAGS (\\Deleted)")
        assert await talk.done(b"NOOP") == [b"* 3 UIDFETCH (FLAGS (\\Deleted))"]
        await other.done(b"EXPUNGE")
        assert await talk.done(b"NOOP") == [b"* VANISHED 3"]
        assert await talk.done(b"UID SEARCH RETURN (SAVE COUNT) ALL") == [b'* ESEARCH (TAG "a") UID COUNT 2']
        assert await talk.done(b"UID FETCH $ (RFC822.SIZE)") == [
            b"* 4 UIDFETCH (RFC822.SIZE 24)", b"* 5 UIDFETCH (RFC822.SIZE 24)"
        ]  # fmt: skip
        await talk.done(b"UID STORE $ +FLAGS.SILENT (\\Deleted)")
        assert await talk.done(b"EXPUNGE") == [b"* VANISHED 4:5"]


@pytest.mark.parametrize(
    "command",
    [
        b"FETCH 1 (FLAGS)",
        b"STORE 1 FLAGS (\\Seen)",
        b"COPY 1 INBOX",
        b"MOVE 1 INBOX",
        b"SEARCH ALL",
        b"SORT (SIZE) UTF-8 ALL",
        b"THREAD REFS UTF-8 ALL",
        b"UID SEARCH OR 1:2 SEEN",
        b"UID SORT (SIZE) UTF-8 NOT 1",
    ],
)
async def test_numbers_are_refused(port: int, command: bytes) -> None:
    async with member(port) as talk:
        await fill(talk, 2)
        await talk.done(b"ENABLE UIDONLY QRESYNC")
        assert (await talk.refused(command)).startswith(b"BAD [UIDREQUIRED] ")
        assert await talk.done(b"UID SEARCH UID 1:*") == [b"* SEARCH 1 2"]


async def test_a_sample_of_numbers_is_refused_and_no_folder_is_open_then(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 2)
        await talk.done(b"ENABLE UIDONLY QRESYNC")
        lines = await talk.ask(b"SELECT INBOX (QRESYNC (1 1 1:5 (1,2 1,2)))")
        assert lines[-1].startswith(b"a BAD [UIDREQUIRED] ")
        assert (await talk.refused(b"UID SEARCH ALL")).startswith(b"BAD command not allowed")


async def test_what_was_missed_is_told_by_uid(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 3)
        lines = await talk.done(b"ENABLE QRESYNC UIDONLY")
        validity = next(
            line.partition(b"UIDVALIDITY ")[2].partition(b"]")[0]
            for line in await talk.done(b"SELECT INBOX")
            if b"UIDVALIDITY" in line
        )
        await talk.done(b"UID STORE 2 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"UID EXPUNGE 2")
        await talk.done(b"UID STORE 3 +FLAGS.SILENT (\\Seen)")
        lines = await talk.done(b"SELECT INBOX (QRESYNC (" + validity + b" 4))")
        assert b"* VANISHED (EARLIER) 2" in lines
        assert [line for line in lines if b"FETCH" in line] == [b"* 3 UIDFETCH (FLAGS (\\Seen) MODSEQ (7))"]
