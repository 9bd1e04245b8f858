"""The upkeep of mail's tables: what has served its time goes, a little at a time."""

import asyncio

from freehold.kernel.log import get_logger
from freehold.kernel.module import Runtime
from freehold.modules.mail.trace import sweep_traces
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.upkeep")

TRACE_KEPT_MS = 30 * 24 * 3600 * 1000
"""How long `freehold message trace` finds a message."""
BLOB_GRACE_MS = 24 * 3600 * 1000
"""Age from which a file without a row is an orphan: older than any message on its way in."""
PAUSE_SECONDS = 3600.0
BATCH = 500


async def keep_up(runtime: Runtime) -> None:
    """Sweep once an hour, for ever; a storage that is away is tried again the next time."""
    while True:
        try:
            await _sweep(runtime)
        except StorageError as error:
            log.warning("upkeep put off", error=str(error))
        await asyncio.sleep(PAUSE_SECONDS)


async def _sweep(runtime: Runtime) -> None:
    now_ms = runtime.clock.now_ms()
    before_ms = now_ms - TRACE_KEPT_MS
    while await runtime.database.write(sweep_traces, before_ms=before_ms, most=BATCH) == BATCH:
        pass
    report = await runtime.blobs.sweep(older_than_ms=BLOB_GRACE_MS)
    log.debug("blobs swept", report=report)
