"""What mail runs in the back process: the queue, the upkeep of its tables, and warnings of full mailboxes."""

import asyncio
import zlib
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress

from freehold.kernel.log import get_logger
from freehold.kernel.module import Runtime
from freehold.modules.mail.front import mail_settings
from freehold.modules.mail.queue.couriers import CourierMaker
from freehold.modules.mail.queue.lane import LaneContext
from freehold.modules.mail.queue.manage import count_entries
from freehold.modules.mail.queue.reports import ReportWriter
from freehold.modules.mail.queue.runner import QueueRunner
from freehold.modules.mail.quota_warnings import keep_warning
from freehold.modules.mail.search.indexer import Indexer
from freehold.modules.mail.upkeep import keep_up

log = get_logger("freehold.mail.back")


async def start_back(runtime: Runtime, stack: AsyncExitStack) -> None:
    """Start the queue runner, the upkeep and the quota warnings; all end with the process."""
    settings = mail_settings(runtime).queue
    context = LaneContext(
        database=runtime.database,
        blobs=runtime.blobs,
        ids=runtime.ids,
        bus=runtime.bus,
        clock=runtime.clock,
        settings=settings,
        reports=ReportWriter(runtime.blobs, runtime.ids, runtime.hostname),
        host=zlib.crc32(runtime.hostname.encode()),
    )
    couriers = CourierMaker(runtime, settings)
    works = {"queue": QueueRunner(context, couriers.make).run(), "upkeep": keep_up(runtime)}
    works["quota warnings"] = keep_warning(runtime)
    works["search index"] = Indexer(runtime).run()
    for name, work in works.items():
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_tell_end)
        stack.push_async_callback(_end, task)


def _tell_end(task: asyncio.Task[None]) -> None:
    """Log work that ended by itself: it should go on until it is cancelled."""
    if not task.cancelled():
        log.error("work of the back process ended", work=task.get_name(), error=repr(task.exception()))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def status(runtime: Runtime) -> Mapping[str, int]:
    """Return the numbers that `freehold status` shows."""
    return {"queued recipients": await runtime.database.read(count_entries)}
