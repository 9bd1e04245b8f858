"""The upkeep of mail's tables: what has served its time goes, a little at a time."""

import asyncio

from freehold.kernel.log import get_logger
from freehold.kernel.module import Runtime
from freehold.modules.mail.folders.sweep import mailboxes_to_sweep, sweep_changes
from freehold.modules.mail.trace import sweep_traces

log = get_logger("freehold.mail.upkeep")

TRACE_KEPT_MS = 30 * 24 * 3600 * 1000
"""How long `freehold message trace` finds a message."""
BLOB_GRACE_MS = 24 * 3600 * 1000
"""Age from which a file without a row is an orphan: older than any message on its way in."""
SHORT_PAUSE_SECONDS = 60.0
"""After this long at most, the disk space of a removed message is free again."""
URGENT_PAUSE_SECONDS = 2.0
"""The same while the disk has no room for more messages."""
LONG_PAUSE_SECONDS = 3600.0
"""The walk over all files, and what is old, have time."""
BATCH = 500


async def keep_up(runtime: Runtime) -> None:
    """Free space every minute and sweep once an hour, for ever; what fails is tried again the next time."""
    loop = asyncio.get_running_loop()
    next_sweep = loop.time()
    while True:
        try:
            await runtime.blobs.remove_discarded()
            if loop.time() >= next_sweep:
                next_sweep = loop.time() + LONG_PAUSE_SECONDS
                await sweep(runtime)
        except Exception:  # a fault in one round must not end the upkeep for good
            log.exception("upkeep put off")
        await _pause(runtime)


async def _pause(runtime: Runtime) -> None:
    """Wait for a minute, or until there is no room."""
    for _ in range(round(SHORT_PAUSE_SECONDS / URGENT_PAUSE_SECONDS)):
        await asyncio.sleep(URGENT_PAUSE_SECONDS)
        if not runtime.blobs.has_room():
            return


async def sweep(runtime: Runtime) -> None:
    """Forget old traces and changes, and remove files that nobody names."""
    now_ms = runtime.clock.now_ms()
    database = runtime.database
    while await database.write(sweep_traces, before_ms=now_ms - TRACE_KEPT_MS, most=BATCH) == BATCH:
        pass
    for mailbox_id in await database.read_long(mailboxes_to_sweep):
        await database.write(sweep_changes, mailbox_id)
    report = await runtime.blobs.sweep(older_than_ms=now_ms - BLOB_GRACE_MS)
    if report.missing:
        log.error("message contents are missing", count=report.missing, blobs=report.missing_ids)
    log.debug("blobs swept", report=report)
