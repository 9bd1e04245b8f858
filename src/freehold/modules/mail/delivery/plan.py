"""What one received message will become: mailboxes it goes into, and deliveries that are queued."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from freehold.modules.mail.addresses.model import ForeignDomain, Resolution
from freehold.modules.mail.delivery.enqueue import QueuedRecipient, Transport


class AcceptedRecipient(msgspec.Struct, frozen=True):
    """One RCPT that was answered 250: its address and what that means now.

    A ForeignDomain is one to relay to.
    """

    address: str
    resolution: Resolution | ForeignDomain


@dataclass(slots=True)
class DeliveryPlan:
    """The recipients' destinations, each once although several recipients may lead to it.

    `inboxes` maps a mailbox's id to its INBOX and the recipients that reach it; `queued` holds what
    leaves through the queue; `discarded` the recipients that lead nowhere on purpose.
    """

    inboxes: dict[int, tuple[int, list[str]]] = field(default_factory=dict)
    queued: dict[tuple[Transport, str], QueuedRecipient] = field(default_factory=dict)
    discarded: list[str] = field(default_factory=list)


def plan_delivery(recipients: Iterable[AcceptedRecipient]) -> DeliveryPlan:
    """Merge what the recipients resolve to."""
    plan = DeliveryPlan()
    for recipient in recipients:
        if isinstance(recipient.resolution, ForeignDomain):
            _add_queued(plan, recipient, Transport.SMTP, recipient.address)
        else:
            _add_resolved(plan, recipient, recipient.resolution)
    return plan


def _add_resolved(plan: DeliveryPlan, recipient: AcceptedRecipient, resolution: Resolution) -> None:
    for mailbox in resolution.mailboxes:
        plan.inboxes.setdefault(mailbox.mailbox_id, (mailbox.inbox_id, []))[1].append(recipient.address)
    for transport, values in (
        (Transport.SMTP, resolution.forwards),
        (Transport.MAILDIR, resolution.maildirs),
        (Transport.MBOX, resolution.mboxes),
        (Transport.PROGRAM, resolution.programs),
    ):
        for value in values:
            _add_queued(plan, recipient, transport, value)
    if resolution.discard:
        plan.discarded.append(recipient.address)


def _add_queued(plan: DeliveryPlan, recipient: AcceptedRecipient, transport: Transport, value: str) -> None:
    destination = value.rpartition("@")[2].lower() if transport is Transport.SMTP else ""
    plan.queued.setdefault(
        (transport, value),
        QueuedRecipient(
            transport=transport,
            recipient=value,
            original_recipient=recipient.address,
            destination=destination,
        ),
    )
