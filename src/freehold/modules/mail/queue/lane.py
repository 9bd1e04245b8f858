"""One lane at work: claims message after message of a destination and settles each."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from freehold.kernel.bus import Bus
from freehold.kernel.clock import Clock
from freehold.kernel.log import get_logger
from freehold.modules.mail.delivery.accept import Delivered
from freehold.modules.mail.events import FolderChanged, QueueChanged
from freehold.modules.mail.queue.outcome import Outcome, Result
from freehold.modules.mail.queue.reports import ReportWriter
from freehold.modules.mail.queue.schedule import next_attempt_ms, wants_warning
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.settle import Attempt, Settlement, settle
from freehold.modules.mail.queue.states import DELIVERY_SECONDS, LEASE_MS
from freehold.modules.mail.queue.store import Claim, ClaimedRecipient, Lane, claim_message
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database, StorageError
from freehold.storage.ids import IdMaker, id_text

log = get_logger("freehold.mail.queue")

STORAGE_PAUSE_SECONDS = 2.0
EXPIRED_STATUS = "4.4.7"
"""Delivery time expired (RFC 3463 §3.5)."""


class Courier(Protocol):
    """Delivers messages of one lane, over one connection where there is one."""

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        """Try once; returns an outcome for each recipient id. Never raises but for cancellation."""

    async def close(self) -> None:
        """Say goodbye to the peer."""

    @property
    def is_spent(self) -> bool:
        """Whether this courier should not take another message."""


@dataclass(frozen=True, slots=True)
class LaneContext:
    """What every lane works with."""

    database: Database
    blobs: BlobStore
    ids: IdMaker
    bus: Bus
    clock: Clock
    settings: QueueSettings
    reports: ReportWriter
    host: int


async def run_lane(context: LaneContext, lane: Lane, courier: Courier) -> int:
    """Deliver what is due in `lane` until nothing is left or the courier is spent; returns how many."""
    count = 0
    try:
        while not courier.is_spent:
            now_ms = context.clock.now_ms()
            claim = await context.database.write(claim_message, lane, host=context.host, now_ms=now_ms)
            if claim is None:
                break
            outcomes = await courier.deliver(claim)
            await _settle(context, claim, outcomes)
            count += 1
    finally:
        await courier.close()
    return count


async def _settle(context: LaneContext, claim: Claim, outcomes: dict[int, Outcome]) -> None:
    now_ms = context.clock.now_ms()
    attempts = tuple(
        _attempt(context.settings, claim, recipient, outcomes[recipient.id], now_ms)
        for recipient in claim.recipients
    )
    for attempt in attempts:
        _log_attempt(claim, attempt)
    warned = tuple(each.recipient.id for each in attempts if _is_late(context.settings, claim, each, now_ms))
    report = await context.reports.write(claim, attempts, warned=warned, now_ms=now_ms)
    settlement = Settlement(claim, attempts, report, warned, context.host, now_ms)
    try:
        stored = await _record(context, settlement)
    finally:
        if report is not None:
            report.received.blob.discard()
    if stored is not None:
        _tell(context.bus, stored, now_ms)


async def _record(context: LaneContext, settlement: Settlement) -> Delivered | None:
    """Commit a settlement, waiting for a storage that is full or away; a peer's 250 must not be forgotten."""
    while True:
        try:
            return await context.database.write(settle, context.blobs, context.ids, settlement)
        except StorageError as error:
            lapses_ms = settlement.now_ms + LEASE_MS - DELIVERY_SECONDS * 1000
            if not error.temporary or context.clock.now_ms() > lapses_ms:
                raise
            log.warning(
                "outcome cannot be stored yet", queue=id_text(settlement.claim.queue_id), error=str(error)
            )
            await asyncio.sleep(STORAGE_PAUSE_SECONDS)


def _attempt(
    settings: QueueSettings, claim: Claim, recipient: ClaimedRecipient, outcome: Outcome, now_ms: int
) -> Attempt:
    if outcome.result is not Result.DEFERRED:
        return Attempt(recipient, outcome)
    if now_ms >= recipient.expires_ms:
        days = (now_ms - claim.created_ms) / 86_400_000
        detail = f"given up after {days:.1f} days: {outcome.detail}"
        return Attempt(recipient, Outcome(Result.FAILED, detail, EXPIRED_STATUS, outcome.remote))
    due_ms = next_attempt_ms(
        settings, attempts=recipient.attempts + 1, now_ms=now_ms, expires_ms=recipient.expires_ms
    )
    return Attempt(recipient, outcome, due_ms)


def _is_late(settings: QueueSettings, claim: Claim, attempt: Attempt, now_ms: int) -> bool:
    return (
        attempt.outcome.result is Result.DEFERRED
        and not attempt.recipient.warned
        and bool(claim.reverse_path)
        and wants_warning(settings, created_ms=claim.created_ms, now_ms=now_ms)
    )


def _log_attempt(claim: Claim, attempt: Attempt) -> None:
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
