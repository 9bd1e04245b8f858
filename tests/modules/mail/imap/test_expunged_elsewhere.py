"""What a session is told while messages it counts are gone already (RFC 9051 §7.1, EXPUNGEISSUED)."""

import pytest

from freehold.modules.mail.imap import session
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.families import answer
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.select import Select
from tests.modules.mail.imap.client import member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (b"SEARCH ALL", b"* SEARCH 1 3"),
        (b"SORT (ARRIVAL) US-ASCII ALL", b"* SORT 1 3"),
        (b"THREAD REFS US-ASCII ALL", b"* THREAD (1)(3)"),
        (b"FETCH 1 UID", b"* 1 FETCH (UID 1)"),
    ],
)
async def test_what_goes_by_numbers_hints_at_expunges_that_wait(
    any_port: int, command: bytes, found: bytes
) -> None:
    async with member(any_port) as reader, member(any_port) as other:
        for _ in range(3):
            await other.append(b"INBOX", MESSAGE)
        await reader.done(b"SELECT INBOX")
        await other.done(b"SELECT INBOX")
        await other.done(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        await other.done(b"EXPUNGE")
        lines = await reader.ask(command)
        assert lines[0] == found
        assert lines[-1].startswith(b"a OK [EXPUNGEISSUED] ")
        assert await reader.ask(b"NOOP") == [b"* 2 EXPUNGE", b"* 2 RECENT", b"a OK NOOP completed"]
        lines = await reader.ask(command)
        assert lines[-1].startswith(b"a OK ")
        assert b"EXPUNGEISSUED" not in lines[-1]


async def test_what_happens_while_a_folder_is_opened_is_told_by_the_next_command(
    any_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with member(any_port) as reader, member(any_port) as other:
        for _ in range(3):
            await other.append(b"INBOX", MESSAGE)
        await other.done(b"SELECT INBOX")
        await other.done(b"STORE 2 +FLAGS.SILENT (\\Deleted)")

        async def answer_late(conversation: Conversation, command: Command) -> Reply:
            reply = await answer(conversation, command)
            if isinstance(command, Select):
                monkeypatch.undo()
                await other.done(b"EXPUNGE")
                await other.append(b"INBOX", MESSAGE)
            return reply

        monkeypatch.setattr(session, "answer", answer_late)
        lines = await reader.ask(b"SELECT INBOX")
        assert b"* 3 EXISTS" in lines
        assert lines[-1] == b"a OK [READ-WRITE] Select completed"
        assert not any(line.endswith(b" EXPUNGE") for line in lines)
        assert await reader.done(b"NOOP") == [b"* 2 EXPUNGE", b"* 3 EXISTS", b"* 0 RECENT"]
