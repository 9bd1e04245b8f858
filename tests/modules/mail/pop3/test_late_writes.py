"""Writes that nobody waits for: bounded, finished at the end, and quiet when they fail."""

import asyncio

import pytest

from freehold.modules.mail.pop3.late_writes import MAX_LATE_WRITES, LateWrites
from freehold.storage.database import StorageError


async def test_all_that_began_is_finished_and_what_is_too_much_never_begins() -> None:
    late, may_go, done = LateWrites(), asyncio.Event(), 0

    async def write() -> None:
        nonlocal done
        await may_go.wait()
        done += 1

    for _ in range(MAX_LATE_WRITES + 10):
        late.start(write())
    may_go.set()
    await late.close()
    assert done == MAX_LATE_WRITES


async def test_a_failure_is_logged_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    late = LateWrites()

    async def write() -> None:
        raise StorageError

    late.start(write())
    await late.close()
    assert "flags not written after a connection ended" in caplog.text
