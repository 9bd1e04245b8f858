"""Writes that begin when a connection has ended, so that nobody waits for them any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger

log = get_logger("freehold.mail.pop3")

MAX_LATE_WRITES = 64
"""Under way at once; what would be more is not written."""


class LateWrites:
    """Owns the tasks; `close` waits for them."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, writing: Coroutine[Any, Any, None]) -> None:
        """Run a write on its own; a failure is logged and no more."""
        if len(self._tasks) >= MAX_LATE_WRITES:
            writing.close()
            return
        task = asyncio.get_running_loop().create_task(_write(writing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until all are done."""
        await asyncio.gather(*self._tasks)


async def _write(writing: Coroutine[Any, Any, None]) -> None:
    try:
        await writing
    except FreeholdError as error:
        log.warning("flags not written after a connection ended", reason=error.public)
