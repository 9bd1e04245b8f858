"""One lane at work: claims message after message of a destination and settles each."""

import asyncio
from collections.abc import Coroutine
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from freehold.kernel.bus import Bus
from freehold.kernel.clock import Clock
from freehold.kernel.log import get_logger
from freehold.modules.mail.delivery.accept import Delivered
from freehold.modules.mail.events import FolderChanged, QueueChanged
from freehold.modules.mail.metrics import ATTEMPTS
from freehold.modules.mail.queue.outcome import Outcome, Result, deferred, failed
from freehold.modules.mail.queue.reports import ReportWriter
from freehold.modules.mail.queue.schedule import next_attempt_ms, wants_warning
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.settle import Attempt, Settlement, StaleClaimError, settle
from freehold.modules.mail.queue.states import DELIVERY_SECONDS, LEASE_MS
from freehold.modules.mail.queue.store import Claim, ClaimedRecipient, Lane, claim_message, hold_claim
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database, StorageError
from freehold.storage.ids import IdMaker, id_text

log = get_logger("freehold.mail.queue")

STORAGE_PAUSE_SECONDS = 2.0
SETTLE_SECONDS = 5.0
"""How long a shutdown waits for outcomes to be recorded: a peer's 250 must not be forgotten."""
EXPIRED_STATUS = "4.4.7"
"""Delivery time expired (RFC 3463 §3.5)."""
FAULT = "a fault of this server: its log has more"


class Courier(Protocol):
    """Delivers messages of one lane, over one connection where there is one."""

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        """Try once; returns an outcome for each recipient id."""

    async def close(self) -> None:
        """Say goodbye to the peer, within a few seconds."""

    @property
    def is_spent(self) -> bool:
        """Whether this courier should not take another message."""


@dataclass(frozen=True, slots=True)
class LaneContext:
    """What every lane works with; `claiming` is for one claim at a time."""

    database: Database
    blobs: BlobStore
    ids: IdMaker
    bus: Bus
    clock: Clock
    settings: QueueSettings
    reports: ReportWriter
    host: int
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)


async def run_lane(context: LaneContext, lane: Lane, courier: Courier) -> int:
    """Deliver what is due in `lane` until nothing is left or the courier is spent; returns how many."""
    count = 0
    try:
        while not courier.is_spent:
            claim = await _claim(context, lane)
            if claim is None:
                break
            outcomes = await _deliver(courier, claim)
            await _in_any_case(_settle(context, claim, outcomes))
            count += 1
    finally:
        await courier.close()
    return count


async def _claim(context: LaneContext, lane: Lane) -> Claim | None:
    """Claim the next message; on PostgreSQL one lane at a time, or most claims would be run again."""
    one_by_one = nullcontext() if context.database.engine == "sqlite" else context.claiming
    async with one_by_one:
        now_ms = context.clock.now_ms()
        return await context.database.write(claim_message, lane, host=context.host, now_ms=now_ms)


async def _deliver(courier: Courier, claim: Claim) -> dict[int, Outcome]:
    """Return what the courier says; a fault of it defers, so that it never stops the lane behind it."""
    try:
        return await courier.deliver(claim)
    except Exception:
        log.exception("courier failed", queue=id_text(claim.queue_id))
        return {recipient.id: deferred(FAULT, "4.3.0") for recipient in claim.recipients}


async def _in_any_case(work: Coroutine[object, object, None]) -> None:
    """Await work; when cancelled meanwhile, only after it is done or `SETTLE_SECONDS` are over."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=SETTLE_SECONDS)
        task.cancel()
        raise


async def _settle(context: LaneContext, claim: Claim, outcomes: dict[int, Outcome]) -> None:
    """Record the outcomes; what cannot be recorded is held, as trying it again might deliver it twice."""
    now_ms = context.clock.now_ms()
    attempts = tuple(
        _attempt(context.settings, claim, recipient, outcomes[recipient.id], now_ms)
        for recipient in claim.recipients
    )
    for attempt in attempts:
        _log_attempt(claim, attempt)
    try:
        await _record(context, claim, attempts, now_ms)
    except Exception:
        log.exception("outcome cannot be recorded, recipients are held", queue=id_text(claim.queue_id))
        await context.database.write(hold_claim, claim, FAULT, now_ms=now_ms)


async def _record(context: LaneContext, claim: Claim, attempts: tuple[Attempt, ...], now_ms: int) -> None:
    """Commit the outcomes, waiting for a storage that is full or away as long as the lease lasts."""
    until_ms = now_ms + LEASE_MS - DELIVERY_SECONDS * 1000
    while True:
        try:
            await _try_to_record(context, claim, attempts, now_ms)
        except StaleClaimError as error:
            attempts = tuple(each for each in attempts if each.recipient.id in error.left)
        except StorageError as error:
            if not error.temporary or context.clock.now_ms() > until_ms:
                raise
            log.warning("outcome cannot be stored yet", queue=id_text(claim.queue_id), error=str(error))
            await asyncio.sleep(STORAGE_PAUSE_SECONDS)
        else:
            return


async def _try_to_record(
    context: LaneContext, claim: Claim, attempts: tuple[Attempt, ...], now_ms: int
) -> None:
    report = await context.reports.write(claim, attempts, now_ms=now_ms)
    settlement = Settlement(claim, attempts, report, now_ms)
    try:
        stored = await context.database.write(settle, context.blobs, context.ids, settlement)
    finally:
        if report is not None:
            report.received.blob.discard()
    if stored is not None:
        _tell(context.bus, stored, now_ms)
    elif report is not None:
        log.warning("report dropped, nobody takes it", queue=id_text(claim.queue_id), to=report.to)


def _attempt(
    settings: QueueSettings, claim: Claim, recipient: ClaimedRecipient, outcome: Outcome, now_ms: int
) -> Attempt:
    if outcome.result is not Result.DEFERRED:
        return Attempt(recipient, outcome)
    if now_ms >= recipient.expires_ms:
        days = (now_ms - claim.created_ms) / 86_400_000
        detail = f"given up after {days:.1f} days: {outcome.detail}"
        return Attempt(recipient, failed(detail, EXPIRED_STATUS, outcome.remote))
    attempt = Attempt(
        recipient,
        outcome,
        next_attempt_ms(
            settings, attempts=recipient.attempts + 1, now_ms=now_ms, expires_ms=recipient.expires_ms
        ),
    )
    is_late = wants_warning(settings, created_ms=claim.created_ms, now_ms=now_ms)
    return replace(attempt, is_warned=is_late and bool(claim.reverse_path) and not recipient.warned)


def _log_attempt(claim: Claim, attempt: Attempt) -> None:
    ATTEMPTS.labels(attempt.outcome.result.name.lower()).inc()
    log.info(
        "delivery attempted",
        trace=id_text(claim.trace_id),
        queue=id_text(claim.queue_id),
        recipient=attempt.recipient.recipient,
        result=attempt.outcome.result.name.lower(),
        detail=attempt.outcome.detail,
        remote=attempt.outcome.remote,
    )


def _tell(bus: Bus, stored: Delivered, now_ms: int) -> None:
    for mailbox_id, place in stored.places:
        bus.publish(FolderChanged(mailbox_id=mailbox_id, folder_id=place.folder_id, modseq=place.modseq))
    if stored.queue_id is not None:
        bus.publish(QueueChanged(due_ms=now_ms))
