"""The queue runner of the back process: finds what is due and keeps lanes busy with it."""

import asyncio
from collections import Counter, deque
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
FOUND_PER_LANE = 40
"""How many destinations are found at once for each lane: what waits is worked off in this order."""
FOUND_SECONDS = 5.0
"""After this long they are looked for again."""
REST_FACTOR = 5
"""To look through a huge queue takes time: so many times as long nobody looks again."""
LONGEST_REST_SECONDS = 2.0


class QueueRunner:
    """Runs lanes until cancelled. One per host: at its start it ends its predecessor's leases."""

    def __init__(self, context: LaneContext, make_courier: Callable[[Lane], Courier]) -> None:
        self._context = context
        self._make_courier = make_courier
        self._busy: Counter[Lane] = Counter()
        self._news = asyncio.Event()
        self._found: deque[tuple[Lane, int]] = deque()
        self._found_until = 0.0
        self._rest_until = 0.0
        self._next_ms: int | None = None
        self._loop = asyncio.get_running_loop()

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
        """Start lanes, and wait for news or for the next to fall due."""
        self._news.clear()
        try:
            pause = await self._start_lanes(lanes)
        except StorageError as error:
            log.warning("queue cannot be read", error=str(error))
            pause = await _after_failure()
        except Exception:  # a fault of ours must not end delivery for good
            log.exception("queue round failed")
            pause = await _after_failure()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._news.wait()

    async def _start_lanes(self, lanes: asyncio.TaskGroup) -> float:
        """Start lanes for what is due; returns how long to sleep unless there is news.

        What is due and gets no lane now waits for one to end, which is news.
        """
        if self._busy.total() >= self._context.settings.max_lanes:
            return LONGEST_SLEEP_SECONDS
        if not self._found or self._loop.time() > self._found_until:
            await self._look()
        self._start_found(lanes)
        if self._found:
            return FOUND_SECONDS
        if self._next_ms is None:
            return LONGEST_SLEEP_SECONDS
        seconds = (self._next_ms - self._context.clock.now_ms()) / 1000
        return min(max(seconds, SHORTEST_SLEEP_SECONDS), LONGEST_SLEEP_SECONDS)

    async def _look(self) -> None:
        """Find the lanes with something due, those that wait longest first, and when more will be."""
        await asyncio.sleep(self._rest_until - self._loop.time())
        began = self._loop.time()
        database, now_ms = self._context.database, self._context.clock.now_ms()
        most = self._context.settings.max_lanes * FOUND_PER_LANE
        self._found = deque(await database.read_long(due_lanes, now_ms=now_ms, most=most))
        self._next_ms = await database.read_long(next_due_ms, now_ms=now_ms)
        ended = self._loop.time()
        self._found_until = ended + FOUND_SECONDS
        self._rest_until = ended + min((ended - began) * REST_FACTOR, LONGEST_REST_SECONDS)

    def _start_found(self, lanes: asyncio.TaskGroup) -> None:
        settings = self._context.settings
        while self._found and self._busy.total() < settings.max_lanes:
            lane, waiting = self._found.popleft()
            wanted = min(-(-waiting // _recipients_per_lane(lane)), settings.max_lanes_per_destination)
            while self._busy[lane] < wanted and self._busy.total() < settings.max_lanes:
                self._busy[lane] += 1
                lanes.create_task(self._run_lane(lane))

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


async def _after_failure() -> float:
    """Wait a moment, whatever the news; returns that no more waiting is needed."""
    await asyncio.sleep(STORAGE_PAUSE_SECONDS)
    return 0.0
