"""Keeps the index behind delivery: what has come is added a moment later, what has gone is taken out.

One task of the back process. Work is what lies beyond each folder's mark, so nothing is lost when news of it
is, or when the process dies; the news only says where to look first.
"""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

from freehold.errors import FreeholdError, NotFoundError
from freehold.kernel.log import get_logger
from freehold.kernel.module import Runtime
from freehold.modules.mail.events import FolderChanged
from freehold.modules.mail.search.batch import add_batch, folders_behind, next_batch
from freehold.modules.mail.search.compact import mailboxes_changed, merge_some, remove_dead
from freehold.modules.mail.search.document import Document, make_document, opaque_document
from freehold.modules.mail.search.segment import build_segment
from freehold.modules.mail.search.store import IndexChangedError
from freehold.storage.blobs import INLINE_MAX_BYTES, BlobMissingError, View

log = get_logger("freehold.mail.search")

QUIET_SECONDS: Final = 1.0
"""Without further mail, what has come is indexed after this long."""
LATEST_SECONDS: Final = 15.0
"""With further mail, after this long."""
ROUND_SECONDS: Final = 60.0
"""All folders are looked over this often, for news that was lost."""
SWEEP_SECONDS: Final = 3600.0
"""What messages said that are gone is out of the index after this long."""
REST: Final = 1.0
"""Each step is followed by a rest of this many times its length, so that others come first."""
BUSY_REST: Final = 10.0
"""Further times the part of it in which this process waited while all processors served others."""
LONGEST_REST_SECONDS: Final = 0.3
SCHEDSTAT: Final = Path("/proc/thread-self/schedstat")
MAX_NOTED: Final = 10_000
"""Folders with news at most; of more the next round takes care."""
FOLDERS_AT_ONCE: Final = 1000
MAILBOXES_AT_ONCE: Final = 1000


class Indexer:
    """The indexer of one process."""

    def __init__(self, runtime: Runtime, *, quiet_seconds: float = QUIET_SECONDS, rest: float = REST) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._quiet_seconds = quiet_seconds
        self._rest = rest
        self._noted: set[int] = set()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Index for ever; what fails is tried again in the next round."""
        unsubscribe = self._runtime.bus.subscribe(FolderChanged, self._note)
        next_round = next_sweep = 0.0
        try:
            while True:
                now = time.monotonic()
                if now >= next_round:
                    await self._guard(self.index_all())
                    next_round = time.monotonic() + ROUND_SECONDS
                if now >= next_sweep:
                    await self._guard(self.sweep())
                    next_sweep = time.monotonic() + SWEEP_SECONDS
                await self._gather(next_round)
                await self._guard(self._index_noted())
        finally:
            unsubscribe()

    async def index_all(self) -> None:
        """Index whatever folders have beyond their marks."""
        while folders := await self._database.read_long(folders_behind, most=FOLDERS_AT_ONCE):
            done = [await self.index_folder(folder_id) for folder_id in folders]
            if len(folders) < FOLDERS_AT_ONCE or not any(done):
                return

    async def index_folder(self, folder_id: int) -> bool:
        """Index what a folder has beyond its mark; tells whether all of it could be."""
        try:
            while (batch := await self._database.read(next_batch, folder_id)) is not None:
                step = _Step(self._rest)
                documents = [
                    document
                    for blob_id, size_bytes in batch.contents
                    if (document := await self._examine(blob_id, size_bytes)) is not None
                ]
                segment = build_segment([(document.blob_id, document.terms) for document in documents])
                await self._database.write(add_batch, batch, documents, segment)
                await step.rest()
                await self._merge(batch.mailbox_id)
        except IndexChangedError:
            return False
        except FreeholdError as error:
            log.warning("indexing of a folder put off", folder_id=folder_id, error=repr(error))
            return False
        return True

    async def sweep(self) -> None:
        """Take out of the index what mailboxes no longer have."""
        last_id = 0
        while changed := await self._database.read_long(
            mailboxes_changed, above_id=last_id, most=MAILBOXES_AT_ONCE
        ):
            for mailbox_id in changed:
                try:
                    removed = await remove_dead(self._database, mailbox_id)
                except FreeholdError as error:
                    log.debug("sweep of an index put off", mailbox_id=mailbox_id, error=repr(error))
                    continue
                if removed:
                    log.debug("removed from the index", mailbox_id=mailbox_id, contents=removed)
            last_id = changed[-1]

    def _note(self, event: FolderChanged) -> None:
        if len(self._noted) < MAX_NOTED:
            self._noted.add(event.folder_id)
        self._news.set()

    async def _gather(self, until: float) -> None:
        """Wait for news and until no more comes for a moment, or for the time of the next round."""
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._news.wait()
                latest = time.monotonic() + LATEST_SECONDS
                while self._news.is_set() and time.monotonic() < latest:
                    self._news.clear()
                    await asyncio.sleep(self._quiet_seconds)
        except TimeoutError:
            return

    async def _index_noted(self) -> None:
        noted, self._noted = self._noted, set()
        for folder_id in sorted(noted):
            await self.index_folder(folder_id)

    async def _examine(self, blob_id: int, size_bytes: int) -> Document | None:
        """Return a content's document; None: it is gone. Large ones are examined off the loop's thread."""
        try:
            async with self._runtime.blobs.open_view(blob_id) as buffer:
                if size_bytes > INLINE_MAX_BYTES:
                    return await asyncio.to_thread(_document, blob_id, buffer)
                return _document(blob_id, buffer)
        except NotFoundError:
            return None
        except BlobMissingError:
            log.warning("a content is missing and cannot be indexed", blob_id=blob_id)
            return None
        finally:
            await asyncio.sleep(0)

    async def _merge(self, mailbox_id: int) -> None:
        step = _Step(self._rest)
        while await merge_some(self._database, mailbox_id):
            await step.rest()
            step = _Step(self._rest)

    async def _guard(self, work: Awaitable[None]) -> None:
        """Do some work; a fault in it must not end the indexer for good."""
        try:
            await work
        except Exception:  # the next round tries again
            log.exception("indexing put off")


class _Step:
    """A piece of work, and the rest after it: the longer, the busier the machine shows itself to be."""

    __slots__ = ("_began", "_factor", "_queued")

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._began, self._queued = time.monotonic(), _queued_seconds()

    async def rest(self) -> None:
        """Let others come first."""
        took = time.monotonic() - self._began
        waited = _queued_seconds() - self._queued
        await asyncio.sleep(min(LONGEST_REST_SECONDS, (took + waited * BUSY_REST) * self._factor))


def _queued_seconds() -> float:
    """Return how long this thread has been ready to run without a processor; 0 where Linux does not tell."""
    try:
        _, queued_ns, _ = SCHEDSTAT.read_bytes().split()
    except (OSError, ValueError):
        return 0.0
    return int(queued_ns) / 1e9


def _document(blob_id: int, buffer: View) -> Document:
    """Return a content's document; one that makes the examination fail is looked through at each search."""
    try:
        return make_document(blob_id, buffer)
    except Exception:  # whatever is wrong with one message, the others behind it are indexed
        log.exception("a content cannot be indexed", blob_id=blob_id)
        return opaque_document(blob_id)
