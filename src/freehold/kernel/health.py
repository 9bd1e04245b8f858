"""Whether the server can do its work: the database takes writes, and every worker is alive."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger
from freehold.kernel.metrics import gauge, read_values
from freehold.storage.database import Database
from freehold.storage.open import next_number

KEPT_SECONDS: Final = 5.0
"""How long an answer is kept, so that a flood of questions causes no flood of writes."""

WRITE_SECONDS: Final = 3.0
UP_METRIC: Final = "freehold_worker_up"

WORKER_UP: Final = gauge(UP_METRIC, "Whether the worker process is ready (1) or not (0).", "worker")

log = get_logger("freehold.kernel.health")


class Health(msgspec.Struct, frozen=True):
    """The answer: good only if all of it is."""

    ok: bool
    database_writable: bool
    workers: dict[str, bool]


class HealthCheck:
    """Looks at the health of the whole server from one process."""

    __slots__ = ("_database", "_last", "_looked_at", "_monotonic", "_supervisor", "_turn")

    def __init__(self, database: Database, supervisor: memoryview, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._supervisor = supervisor
        self._monotonic = monotonic
        self._last: Health | None = None
        self._looked_at = 0.0
        self._turn = asyncio.Lock()

    async def look(self) -> Health:
        """Return the health of now, or of up to five seconds ago."""
        async with self._turn:
            now = self._monotonic()
            if self._last is None or now - self._looked_at >= KEPT_SECONDS:
                writable = await self._is_writable()
                workers = workers_up(self._supervisor)
                self._last = Health(writable and all(workers.values()), writable, workers)
                self._looked_at = now
            return self._last

    async def _is_writable(self) -> bool:
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._database.write(next_number, "health")
        except (FreeholdError, TimeoutError) as error:
            log.warning("the database takes no writes", reason=repr(error))
            return False
        return True


def workers_up(supervisor: memoryview) -> dict[str, bool]:
    """Return for each worker whether it is ready, as its supervisor says in its segment."""
    return {
        series.label_values[0]: bool(values[0])
        for series, values in read_values(supervisor)
        if series.name == UP_METRIC
    }
