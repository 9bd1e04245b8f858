"""The transaction that takes responsibility for a message: after its commit the client reads 250."""

import msgspec

from freehold.modules.mail.delivery.enqueue import QueuedMessage, enqueue
from freehold.modules.mail.delivery.plan import DeliveryPlan
from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.append import Appended, NewMessage, append_message, insert_content
from freehold.modules.mail.trace import Trace, TraceState, insert_trace
from freehold.storage.blobs import BlobStore, PreparedBlob
from freehold.storage.database import Transaction
from freehold.storage.ids import IdMaker


class Received(msgspec.Struct, frozen=True):
    """One complete message with all that is known of it.

    `message` describes it to folders; `queued` to the queue. `blob` is prepared: its bytes are on
    disk, or small enough to go into the same commit.
    """

    blob: PreparedBlob
    message: NewMessage
    queued: QueuedMessage
    trace: Trace
    expires_ms: int


class Delivered(msgspec.Struct, frozen=True):
    """What the commit made: the places in mailboxes (by mailbox id), and the queue's id if any."""

    places: tuple[tuple[int, Appended], ...]
    queue_id: int | None


async def accept_message(
    tx: Transaction, blobs: BlobStore, ids: IdMaker, received: Received, plan: DeliveryPlan
) -> Delivered:
    """Store a message for all its destinations, queue what leaves, and record the trace.

    A mailbox that was removed since its address was accepted is passed over: its mail would have
    been removed with it.
    """
    now_ms = received.trace.received_ms
    places: list[tuple[int, Appended]] = []
    outcomes: list[tuple[str, TraceState, str]] = []
    await _store_content(tx, blobs, received, plan)
    for mailbox_id, (inbox_id, addresses) in plan.inboxes.items():
        try:
            place = await append_message(
                tx, mailbox_id, inbox_id, received.message, now_ms=now_ms, check_quota=False
            )
        except FolderNotFoundError:
            await blobs.release(tx, received.message.blob_id)
            outcomes += [(address, TraceState.REMOVED, "the mailbox was removed") for address in addresses]
            continue
        places.append((mailbox_id, place))
        outcomes += [(address, TraceState.DELIVERED, "INBOX") for address in addresses]
    outcomes += [(address, TraceState.DISCARDED, "") for address in plan.discarded]
    outcomes += [(each.recipient, TraceState.QUEUED, "") for each in plan.queued.values()]
    queue_id = None
    if plan.queued:
        queue_id = await enqueue(
            tx,
            ids,
            received.queued,
            list(plan.queued.values()),
            now_ms=now_ms,
            expires_ms=received.expires_ms,
        )
    await insert_trace(tx, received.trace, outcomes)
    return Delivered(tuple(places), queue_id)


async def _store_content(tx: Transaction, blobs: BlobStore, received: Received, plan: DeliveryPlan) -> None:
    references = len(plan.inboxes) + bool(plan.queued)
    if plan.inboxes:
        await insert_content(tx, blobs, received.blob, received.message, references=references)
    elif references:
        await blobs.insert(tx, received.blob, blob_id=received.message.blob_id, references=references)
