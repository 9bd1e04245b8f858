"""STORE, told from the change itself: what others do meanwhile is still told."""

from typing import Any

import pytest

from freehold.modules.mail.imap import store
from freehold.modules.mail.imap.conversation import Conversation
from tests.modules.mail.imap.client import member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


async def test_a_client_with_notify_hears_at_the_end_of_store_what_happened_during_it(
    any_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_states = store._send_states

    async def send_after_news(conversation: Conversation, *arguments: Any) -> int:
        await actor.append(b"INBOX", MESSAGE)
        return await send_states(conversation, *arguments)

    async with member(any_port) as watcher, member(any_port) as actor:
        await actor.append(b"INBOX", MESSAGE)
        await watcher.done(b"SELECT INBOX")
        await watcher.done(b"NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))")
        monkeypatch.setattr(store, "_send_states", send_after_news)
        told = await watcher.done(b"STORE 1 +FLAGS (\\Flagged)")
        assert told[:2] == [b"* 1 FETCH (FLAGS (\\Flagged \\Recent))", b"* 2 EXISTS"]


async def test_silent_does_not_silence_what_others_changed_just_before(any_port: int) -> None:
    async with member(any_port) as one, member(any_port) as other:
        for _ in range(3):
            await one.append(b"INBOX", MESSAGE)
        await other.done(b"SELECT INBOX")
        await one.done(b"SELECT INBOX")
        await other.done(b"STORE 1,3 +FLAGS.SILENT (\\Flagged)")
        assert await one.done(b"STORE 1:2 +FLAGS.SILENT (\\Seen)") == [
            b"* 1 FETCH (FLAGS (\\Flagged \\Seen))",
            b"* 3 FETCH (FLAGS (\\Flagged))",
        ]
        assert await one.done(b"STORE 1:3 -FLAGS.SILENT (\\Seen)") == []
