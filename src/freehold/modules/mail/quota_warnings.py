"""Warns people whose mailboxes, and owners whose mailboxes together, fill up.

The back process looks once a minute: a delivery costs nothing more. What was warned of is a row of
`quota_warning`, written in the transaction that stores the warning: neither a crash nor a second host makes
two of one crossing. When the use falls below a share, the row falls with it, and the next crossing is told
again.
"""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import Final

from freehold.errors import FreeholdError
from freehold.kernel.log import get_logger
from freehold.kernel.module import Runtime
from freehold.modules.mail.addresses.model import Resolution
from freehold.modules.mail.addresses.resolve import resolve
from freehold.modules.mail.delivery.accept import Delivered, Received, accept_message
from freehold.modules.mail.delivery.own_message import receive_own
from freehold.modules.mail.delivery.plan import AcceptedRecipient, DeliveryPlan, plan_delivery
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.events import FolderChanged, QueueChanged
from freehold.modules.mail.folders.quota import WARNING_PERCENTS, Use
from freehold.modules.mail.quota_notice import Notice, write_notice
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Row, Transaction
from freehold.storage.ids import IdMaker

log = get_logger("freehold.mail.quota")

PAUSE_SECONDS = 60.0
"""After this long at most, a crossing is noticed."""
MAX_ID = 2**63 - 1
BATCH = 100
"""Holders that are read at once."""


class Holder(Enum):
    """Who has a quota (the words of `quota_warning.kind`)."""

    MAILBOX = "mailbox"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A holder whose use lies in another share than the one it was last warned of.

    `name` is a mailbox's address or an owner's name.
    """

    kind: Holder
    id: int
    name: str
    use: Use
    warned_percent: int

    @property
    def is_upward(self) -> bool:
        """Whether there is something to warn of."""
        return self.use.warning_percent > self.warned_percent


_MAILBOXES: Final = (
    "SELECT m.id AS id, m.address AS name, m.used_bytes AS used, m.quota_bytes AS quota"
    " FROM mailbox AS m WHERE NOT m.is_disabled AND m.id BETWEEN ? AND ?"
)
_OWNERS: Final = (
    "SELECT o.id AS id, o.name AS name, o.max_storage_bytes AS quota,"
    " CAST(COALESCE((SELECT SUM(m.used_bytes) FROM mailbox AS m WHERE m.owner_id = o.id"
    " AND o.max_storage_bytes IS NOT NULL), 0) AS BIGINT) AS used FROM owner AS o"
    " WHERE o.id BETWEEN ? AND ?"
)
_HOLDERS: Final = {Holder.MAILBOX: _MAILBOXES, Holder.OWNER: _OWNERS}
_SHARES: Final = " ".join(
    f"WHEN h.used * 100 >= h.quota * {percent} THEN {percent}" for percent in reversed(WARNING_PERCENTS)
)
_CROSSED: Final = {
    kind: (
        "SELECT h.id, h.name, h.used, h.quota, COALESCE(w.percent, 0)"  # noqa: S608 - this program's own words
        f" FROM ({holders}) AS h LEFT JOIN quota_warning AS w"
        f" ON w.kind = '{kind.value}' AND w.holder_id = h.id"
        f" WHERE COALESCE(w.percent, 0) <> CASE WHEN h.quota IS NULL THEN 0 {_SHARES} ELSE 0 END"
        " ORDER BY h.id LIMIT ?"
    )
    for kind, holders in _HOLDERS.items()
}


async def keep_warning(runtime: Runtime) -> None:
    """Look for crossings once a minute, for ever; what fails is tried again the next time."""
    while True:
        try:
            await warn_all(runtime)
        except Exception:  # a fault in one round must not end the warnings for good
            log.exception("quota warnings put off")
        await asyncio.sleep(PAUSE_SECONDS)


async def warn_all(runtime: Runtime) -> None:
    """Warn every holder whose use has risen into another share, and note whose has fallen."""
    for kind in Holder:
        last_id = 0
        while crossings := await runtime.database.read_long(find_crossings, kind, above_id=last_id):
            for crossing in crossings:
                try:
                    await _settle(runtime, crossing)
                except FreeholdError as error:
                    log.warning("quota warning put off", holder=crossing.name, error=error)
            last_id = crossings[-1].id


async def find_crossings(tx: Transaction, kind: Holder, *, above_id: int) -> list[Crossing]:
    """Return the next holders, by id, whose use lies in another share than was last told."""
    rows = await tx.fetch(_CROSSED[kind], above_id + 1, MAX_ID, BATCH)
    return [_crossing(kind, row) for row in rows]


async def _settle(runtime: Runtime, crossing: Crossing) -> None:
    received = None
    to = await runtime.database.read(_address_of, crossing) if crossing.is_upward else None
    if to is not None:
        received = await _write(runtime, crossing, to)
    try:
        delivered = await runtime.database.write(
            record_crossing, runtime.blobs, runtime.ids, crossing, received, to
        )
    finally:
        if received is not None:
            received.blob.discard()
    if crossing.is_upward:
        told = None if delivered is None else to
        log.info("quota nearly used up", holder=crossing.name, percent=crossing.use.percent, told=told)
    if delivered is not None:
        _publish(runtime, delivered)


async def record_crossing(
    tx: Transaction,
    blobs: BlobStore,
    ids: IdMaker,
    crossing: Crossing,
    received: Received | None,
    to: str | None,
) -> Delivered | None:
    """Store the warning and note that it was given, unless the crossing has been settled meanwhile."""
    rows = await tx.fetch(_CROSSED[crossing.kind], crossing.id, crossing.id, 1)
    current = _crossing(crossing.kind, rows[0]) if rows else None
    if current is None or _key(current) != _key(crossing):
        return None
    await _note(tx, crossing)
    if received is None or to is None:
        return None
    plan = await _plan(tx, to)
    if not plan.inboxes and not plan.queued:
        return None
    return await accept_message(tx, blobs, ids, received, plan)


async def _note(tx: Transaction, crossing: Crossing) -> None:
    percent = crossing.use.warning_percent
    if not percent:
        await tx.execute(
            "DELETE FROM quota_warning WHERE kind = ? AND holder_id = ?", crossing.kind.value, crossing.id
        )
        return
    await tx.execute(
        "INSERT INTO quota_warning (kind, holder_id, percent) VALUES (?, ?, ?)"
        " ON CONFLICT (kind, holder_id) DO UPDATE SET percent = excluded.percent",
        crossing.kind.value,
        crossing.id,
        percent,
    )


async def _address_of(tx: Transaction, crossing: Crossing) -> str | None:
    """Return where a holder reads mail here, or None.

    An owner has no address of its own: it is reached by its name, where that is an address of ours, or as
    the postmaster of its oldest domain.
    """
    if crossing.kind is Holder.MAILBOX:
        return crossing.name
    if "@" in crossing.name and (await _plan(tx, crossing.name)).inboxes:
        return crossing.name
    row = await tx.fetch_one(
        "SELECT name FROM domain WHERE owner_id = ? AND target_id IS NULL AND NOT is_disabled"
        " ORDER BY id LIMIT 1",
        crossing.id,
    )
    return None if row is None else f"postmaster@{row[0]}"


async def _plan(tx: Transaction, to: str) -> DeliveryPlan:
    """Return where a warning goes: nowhere if nobody is behind the address."""
    local, _, domain = to.rpartition("@")
    try:
        resolution = await resolve(tx, local, domain)
    except (UnknownAddressError, AddressLoopError, MailboxDisabledError):
        return DeliveryPlan()
    return plan_delivery([AcceptedRecipient(to, resolution)] if isinstance(resolution, Resolution) else [])


async def _write(runtime: Runtime, crossing: Crossing, to: str) -> Received:
    now_ms = runtime.clock.now_ms()
    owner = crossing.name if crossing.kind is Holder.OWNER else None
    text = write_notice(Notice(to, runtime.hostname, crossing.use, owner, now_ms))
    return await receive_own(
        runtime.blobs,
        runtime.ids,
        text,
        client="quota warning",
        is_utf8=not to.isascii(),
        now_ms=now_ms,
    )


def _publish(runtime: Runtime, delivered: Delivered) -> None:
    for mailbox_id, place in delivered.places:
        runtime.bus.publish(FolderChanged(mailbox_id, place.folder_id, place.modseq))
    if delivered.queue_id is not None:
        runtime.bus.publish(QueueChanged(runtime.clock.now_ms()))


def _crossing(kind: Holder, row: Row) -> Crossing:
    holder_id, name, used, quota, percent = row
    return Crossing(kind, holder_id, name, Use(used, quota), percent)


def _key(crossing: Crossing) -> tuple[int, int]:
    return crossing.use.warning_percent, crossing.warned_percent
