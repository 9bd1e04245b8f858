"""The queue runner of the back process: finds what is due and keeps lanes busy with it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from freehold.kernel.log import get_logger
from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.events import QueueChanged
from freehold.modules.mail.queue.lane import Courier, LaneContext, run_lane
from freehold.modules.mail.queue.store import Lane, due_lanes, end_leases, next_due_ms
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.queue")

LONGEST_SLEEP_SECONDS = 60.0
"""How long the runner trusts that nobody told it of something due."""
SHORTEST_SLEEP_SECONDS = 0.05
STORAGE_PAUSE_SECONDS = 2.0
RECIPIENTS_PER_LANE = 10
"""A destination gets another lane for each so many recipients that wait."""
IDLE_FACTOR = 10
"""To look through a huge queue takes time: at most one part in so many is spent on it."""


class QueueRunner:
    """Runs lanes until cancelled. One per host: at its start it ends its predecessor's leases."""

    def __init__(self, context: LaneContext, make_courier: Callable[[Lane], Courier]) -> None:
        self._context = context
        self._make_courier = make_courier
        self._busy: Counter[Lane] = Counter()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Deliver what falls due, for ever; what is under way at cancellation goes back to wait."""
        unsubscribe = self._context.bus.subscribe(QueueChanged, lambda _event: self._news.set())
        try:
            await self._end_old_leases()
            async with asyncio.TaskGroup() as lanes:
                while True:
                    await self._round(lanes)
        finally:
            unsubscribe()

    async def _end_old_leases(self) -> None:
        while True:
            try:
                await self._context.database.write(end_leases, host=self._context.host)
            except StorageError as error:
                log.warning("queue cannot be read yet", error=str(error))
                await asyncio.sleep(STORAGE_PAUSE_SECONDS)
            else:
                return

    async def _round(self, lanes: asyncio.TaskGroup) -> None:
        """Look once, start lanes, and wait for news or for the next to fall due."""
        self._news.clear()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            pause = await self._start_lanes(lanes)
        except StorageError as error:
            log.warning("queue cannot be read", error=str(error))
            pause = STORAGE_PAUSE_SECONDS
        except Exception:  # a fault of ours must not end delivery for good
            log.exception("queue round failed")
            pause = STORAGE_PAUSE_SECONDS
        await asyncio.sleep(min((loop.time() - began) * IDLE_FACTOR, STORAGE_PAUSE_SECONDS))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._news.wait()

    async def _start_lanes(self, lanes: asyncio.TaskGroup) -> float:
        """Start lanes for what is due; returns how long to sleep unless there is news.

        What is due and gets no lane now waits for one to end, which is news.
        """
        database, settings = self._context.database, self._context.settings
        now_ms = self._context.clock.now_ms()
        if self._busy.total() < settings.max_lanes:
            due = await database.read_long(due_lanes, now_ms=now_ms, most=settings.max_lanes * 4)
            for lane, waiting in due:
                wanted = min(-(-waiting // _recipients_per_lane(lane)), settings.max_lanes_per_destination)
                while self._busy[lane] < wanted and self._busy.total() < settings.max_lanes:
                    self._busy[lane] += 1
                    lanes.create_task(self._run_lane(lane))
        next_ms = await database.read_long(next_due_ms, now_ms=now_ms)
        if next_ms is None:
            return LONGEST_SLEEP_SECONDS
        return min(max((next_ms - now_ms) / 1000, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS)

    async def _run_lane(self, lane: Lane) -> None:
        try:
            await run_lane(self._context, lane, self._make_courier(lane))
        except StorageError as error:
            log.warning("queue lane stopped", destination=lane.destination, error=str(error))
            await asyncio.sleep(STORAGE_PAUSE_SECONDS)
        except Exception:  # a fault of ours must not stop the other lanes
            log.exception("queue lane failed", destination=lane.destination)
            await asyncio.sleep(STORAGE_PAUSE_SECONDS)
        finally:
            self._busy[lane] -= 1
            if not self._busy[lane]:
                del self._busy[lane]
            self._news.set()


def _recipients_per_lane(lane: Lane) -> int:
    """Return how many may wait behind each other: a slow program must not hold up the others."""
    return RECIPIENTS_PER_LANE if lane.transport is Transport.SMTP else 1
