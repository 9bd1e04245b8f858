"""The transaction that ends an attempt: delivered goes, deferred waits, failed is reported.

The report is stored in the same commit that removes the failed recipients, so it is neither lost
nor sent twice.
"""

from dataclasses import dataclass

from freehold.modules.mail.addresses.postmaster import resolve_postmaster
from freehold.modules.mail.addresses.resolve import resolve
from freehold.modules.mail.delivery.accept import Delivered, Received, accept_message
from freehold.modules.mail.delivery.plan import AcceptedRecipient, DeliveryPlan, plan_delivery
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.queue.outcome import Outcome, Result
from freehold.modules.mail.queue.store import (
    Claim,
    ClaimedRecipient,
    is_leased,
    mark_warned,
    postpone,
    remove_recipients,
)
from freehold.modules.mail.trace import TraceState, update_trace
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction
from freehold.storage.ids import IdMaker

_TRACE_STATES = {
    Result.DELIVERED: TraceState.RELAYED,
    Result.DEFERRED: TraceState.DEFERRED,
    Result.FAILED: TraceState.BOUNCED,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One recipient of a claim, what came of it, and, if deferred, when it is tried again."""

    recipient: ClaimedRecipient
    outcome: Outcome
    due_ms: int = 0


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
    """All that one attempt changes. `warned` are the recipients that `report` warns of."""

    claim: Claim
    attempts: tuple[Attempt, ...]
    report: Report | None
    warned: tuple[int, ...]
    host: int
    now_ms: int


async def settle(tx: Transaction, blobs: BlobStore, ids: IdMaker, settlement: Settlement) -> Delivered | None:
    """Record the outcomes; returns where the report went, if there was one.

    Recipients that a person removed meanwhile are passed over.
    """
    claim, now_ms = settlement.claim, settlement.now_ms
    gone: list[int] = []
    for attempt in settlement.attempts:
        recipient, outcome = attempt.recipient, attempt.outcome
        if not await is_leased(tx, recipient.id, host=settlement.host):
            continue
        if outcome.result is Result.DEFERRED:
            await postpone(tx, [recipient.id], due_ms=attempt.due_ms, error=outcome.detail, now_ms=now_ms)
        else:
            gone.append(recipient.id)
        state = _TRACE_STATES[outcome.result]
        await update_trace(tx, claim.trace_id, recipient.recipient, state, outcome.detail, now_ms=now_ms)
    await remove_recipients(tx, blobs, claim.queue_id, gone)
    await mark_warned(tx, settlement.warned)
    if settlement.report is None:
        return None
    return await _store_report(tx, blobs, ids, settlement.report)


async def _store_report(tx: Transaction, blobs: BlobStore, ids: IdMaker, report: Report) -> Delivered | None:
    plan = await _plan_report(tx, report)
    if not plan.inboxes and not plan.queued:
        return None
    return await accept_message(tx, blobs, ids, report.received, plan)


async def _plan_report(tx: Transaction, report: Report) -> DeliveryPlan:
    local_part, _, domain = report.to.rpartition("@")
    try:
        resolution = await (resolve_postmaster(tx) if report.local_only else resolve(tx, local_part, domain))
    except (UnknownAddressError, AddressLoopError, MailboxDisabledError):
        return DeliveryPlan()
    plan = plan_delivery([AcceptedRecipient(report.to, resolution)])
    if report.local_only:
        plan.queued.clear()
    return plan
