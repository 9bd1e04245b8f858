"""The transaction that ends an attempt: delivered goes, deferred waits, failed is reported.

The report is stored in the same commit that removes the failed recipients, so it is neither lost
nor sent twice.
"""

from dataclasses import dataclass

from freehold.errors import FreeholdError, InvalidValueError
from freehold.modules.mail.addresses.postmaster import resolve_postmaster
from freehold.modules.mail.addresses.resolve import resolve
from freehold.modules.mail.delivery.accept import Delivered, Received, accept_message
from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.delivery.plan import AcceptedRecipient, DeliveryPlan, plan_delivery
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.queue.outcome import Outcome, Result
from freehold.modules.mail.queue.store import (
    Claim,
    ClaimedRecipient,
    postpone,
    remove_recipients,
    still_leased,
)
from freehold.modules.mail.trace import TraceState, update_trace
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction
from freehold.storage.ids import IdMaker


class StaleClaimError(FreeholdError):
    """Recipients that a report is about are gone; `left` are those that the claim still has."""

    public = "recipients were removed during delivery"

    def __init__(self, left: frozenset[int]) -> None:
        super().__init__()
        self.left = left


@dataclass(frozen=True, slots=True)
class Attempt:
    """One recipient of a claim, what came of it, and, if deferred, when it is tried again.

    `is_warned` says that the report tells the sender of the delay.
    """

    recipient: ClaimedRecipient
    outcome: Outcome
    due_ms: int = 0
    is_warned: bool = False

    @property
    def is_reported(self) -> bool:
        """Whether the sender is told."""
        return self.is_warned or self.outcome.result is Result.FAILED


@dataclass(frozen=True, slots=True)
class Report:
    """A bounce or delay warning that is ready to be stored.

    `to` is where it goes; a report on a report goes to mailboxes of ours only, so it ends there.
    """

    to: str
    received: Received
    local_only: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that one attempt changes."""

    claim: Claim
    attempts: tuple[Attempt, ...]
    report: Report | None
    now_ms: int


async def settle(tx: Transaction, blobs: BlobStore, ids: IdMaker, settlement: Settlement) -> Delivered | None:
    """Record the outcomes; returns where the report went, or None if there was none or nobody takes it.

    Recipients that the claim has no more are passed over: a person removed them, or this runs again
    after a commit whose answer was lost.

    Raises:
        StaleClaimError: the report tells of such recipients; nothing is recorded.
    """
    claim = settlement.claim
    leased = await still_leased(tx, claim)
    if settlement.report is not None and any(
        each.is_reported and each.recipient.id not in leased for each in settlement.attempts
    ):
        raise StaleClaimError(frozenset(leased))
    attempts = [each for each in settlement.attempts if each.recipient.id in leased]
    for attempt in attempts:
        await _record(tx, claim, attempt, settlement.now_ms)
    gone = [each.recipient.id for each in attempts if each.outcome.result is not Result.DEFERRED]
    if gone:
        await remove_recipients(tx, blobs, claim.queue_id, gone)
    if settlement.report is None:
        return None
    return await _store_report(tx, blobs, ids, settlement.report)


async def _record(tx: Transaction, claim: Claim, attempt: Attempt, now_ms: int) -> None:
    recipient, outcome = attempt.recipient, attempt.outcome
    if outcome.result is Result.DEFERRED:
        await postpone(
            tx,
            recipient.id,
            due_ms=attempt.due_ms,
            error=outcome.detail,
            warned=attempt.is_warned,
            now_ms=now_ms,
        )
    state = _trace_state(claim.transport, outcome.result)
    await update_trace(tx, claim.trace_id, recipient.recipient, state, outcome.detail, now_ms=now_ms)


def _trace_state(transport: Transport, result: Result) -> TraceState:
    match result:
        case Result.DELIVERED:
            return TraceState.RELAYED if transport is Transport.SMTP else TraceState.DELIVERED
        case Result.DEFERRED:
            return TraceState.DEFERRED
        case Result.FAILED:
            return TraceState.BOUNCED


async def _store_report(tx: Transaction, blobs: BlobStore, ids: IdMaker, report: Report) -> Delivered | None:
    plan = await _plan_report(tx, report)
    if not plan.inboxes and not plan.queued:
        return None
    return await accept_message(tx, blobs, ids, report.received, plan)


async def _plan_report(tx: Transaction, report: Report) -> DeliveryPlan:
    local_part, _, domain = report.to.rpartition("@")
    try:
        resolution = await (resolve_postmaster(tx) if report.local_only else resolve(tx, local_part, domain))
    except (UnknownAddressError, AddressLoopError, MailboxDisabledError, InvalidValueError):
        return DeliveryPlan()
    plan = plan_delivery([AcceptedRecipient(report.to, resolution)])
    if report.local_only:
        plan.queued.clear()
    return plan
