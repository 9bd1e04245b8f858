"""A queue in a test's hands: its clock, what goes in, and one round of deliveries at a time."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address

import msgspec

from freehold.kernel.module import Runtime
from freehold.kernel.resolver import MxHost
from freehold.modules.mail.addresses.model import ForeignDomain, Resolution
from freehold.modules.mail.delivery.accept import accept_message
from freehold.modules.mail.delivery.arrival import Arrival, describe, examine
from freehold.modules.mail.delivery.plan import AcceptedRecipient, plan_delivery
from freehold.modules.mail.queue.couriers import CourierMaker
from freehold.modules.mail.queue.lane import LaneContext, run_lane
from freehold.modules.mail.queue.manage import QueueEntry, QueueFilter, list_entries
from freehold.modules.mail.queue.outcome import Outcome
from freehold.modules.mail.queue.reports import ReportWriter
from freehold.modules.mail.queue.runner import QueueRunner
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.settle import Attempt, Settlement, settle
from freehold.modules.mail.queue.store import Claim, Lane, claim_message, due_lanes
from freehold.modules.mail.trace import find_by_address
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.smtp_sink import Script, Sink, smtp_sink

HOST_NUMBER = 7
RETURN_PATH = b"Return-Path: <ann@example.test>\r\n"
MESSAGE = b"Subject: hello\r\nFrom: ann@example.test\r\n\r\nHello.\r\n.dot\r\nFrom here on\r\n"
DAY_MS = 24 * 3600 * 1000


class SetClock:
    """A clock that a test sets."""

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        """Return the set time."""
        return self.now

    def forward(self, *, seconds: float) -> None:
        """Let time pass."""
        self.now += int(seconds * 1000)


class PostOffice:
    """One host's queue without its runner: `deliver` does what is due now."""

    def __init__(self, host: MailHost, settings: QueueSettings) -> None:
        self.host = host
        self.clock = SetClock(host.runtime.clock.now_ms())
        self.runtime = dataclasses.replace(host.runtime, clock=self.clock)
        self.configure(settings)

    def configure(self, settings: QueueSettings) -> None:
        """Use these settings from now on."""
        self.settings = settings
        runtime = self.runtime
        self.context = LaneContext(
            database=runtime.database,
            blobs=runtime.blobs,
            ids=runtime.ids,
            bus=runtime.bus,
            clock=self.clock,
            settings=settings,
            reports=ReportWriter(runtime.blobs, runtime.ids, runtime.hostname),
            host=HOST_NUMBER,
        )
        self.couriers = CourierMaker(runtime, settings)

    @asynccontextmanager
    async def sink(
        self, script: Script | None = None, *, domain: str = "far.test", address: str = "127.0.0.2"
    ) -> AsyncIterator[Sink]:
        """Run a mail exchanger for a domain; the first one's port becomes the queue's."""
        port = 0 if self.settings.smtp_port == 25 else self.settings.smtp_port
        async with smtp_sink(script, address=address, port=port) as sink:
            self.configure(msgspec.structs.replace(self.settings, smtp_port=sink.port))
            name = f"mx{address.rpartition('.')[2]}.{domain}"
            exchangers = self.host.resolver.exchangers.setdefault(domain, [])
            exchangers.append(MxHost(10 * (len(exchangers) + 1), name))
            self.host.resolver.hosts[name] = [ip_address(address)]
            yield sink

    async def enqueue(
        self,
        *recipients: str,
        sender: str = "ann@example.test",
        content: bytes = MESSAGE,
        is_utf8: bool = False,
        lifetime_ms: int = 7 * DAY_MS,
    ) -> int:
        """Accept a message for addresses elsewhere; returns its trace id."""
        accepted = [AcceptedRecipient(each, ForeignDomain(each.rpartition("@")[2])) for each in recipients]
        submitted = Submitted(sender, content, is_utf8=is_utf8, lifetime_ms=lifetime_ms)
        return await accept(self.runtime, accepted, submitted)

    async def enqueue_resolved(
        self,
        address: str,
        resolution: Resolution,
        *,
        sender: str = "ann@example.test",
        content: bytes = MESSAGE,
    ) -> int:
        """Accept a message for an address of ours that leads somewhere."""
        return await accept(
            self.runtime, [AcceptedRecipient(address, resolution)], Submitted(sender, content)
        )

    async def deliver(self) -> int:
        """Run every lane that has something due; returns how many attempts were made."""
        count = 0
        while lanes := await self.runtime.database.read(due_lanes, now_ms=self.clock.now_ms(), most=1000):
            for lane, _waiting in lanes:
                count += await run_lane(self.context, lane, self.couriers.make(lane))
        return count

    async def claim(self, lane: Lane) -> Claim | None:
        """Lease the next message of a lane."""
        return await self.runtime.database.write(
            claim_message, lane, host=HOST_NUMBER, now_ms=self.clock.now_ms()
        )

    def runner(self) -> QueueRunner:
        """Return a queue runner of this host."""
        return QueueRunner(self.context, self.couriers.make)

    async def entries(self) -> list[QueueEntry]:
        """Return all that the queue holds."""
        return await self.runtime.database.read(
            list_entries, QueueFilter(), now_ms=self.clock.now_ms(), most=100_000
        )

    async def states(self, address: str) -> list[str]:
        """Return what the traces say of an address, the newest first."""
        found = await self.runtime.database.read(find_by_address, address, most=100)
        return [line.state.value for _, lines in found for line in lines if line.address == address.lower()]

    async def references(self) -> Mapping[int, tuple[int, int]]:
        """Return, for each blob, its counted references and those that rows really make."""
        return dict(await self.runtime.database.read(_references))


async def record(office: PostOffice, claim: Claim, outcome: Outcome, *, due_ms: int = 0) -> None:
    """Settle a claim with one outcome for all."""
    attempts = tuple(Attempt(each, outcome, due_ms) for each in claim.recipients)
    now_ms = office.clock.now_ms()
    report = await office.context.reports.write(claim, attempts, now_ms=now_ms)
    runtime = office.runtime
    await runtime.database.write(
        settle, runtime.blobs, runtime.ids, Settlement(claim, attempts, report, now_ms)
    )


@dataclasses.dataclass(frozen=True)
class Submitted:
    """What a sender hands over."""

    sender: str = "ann@example.test"
    content: bytes = MESSAGE
    is_utf8: bool = False
    lifetime_ms: int = 7 * DAY_MS


async def accept(runtime: Runtime, accepted: list[AcceptedRecipient], submitted: Submitted) -> int:
    """Take responsibility for a message as reception does; returns its trace id."""
    prefix = f"Return-Path: <{submitted.sender}>\r\n".encode()
    blob = await runtime.blobs.prepare(prefix + submitted.content)
    now_ms = runtime.clock.now_ms()
    arrival = Arrival(
        trace_id=runtime.ids.next(),
        blob_id=runtime.ids.next(),
        now_ms=now_ms,
        expires_ms=now_ms + submitted.lifetime_ms,
        reverse_path=submitted.sender,
        client="test",
        skip_bytes=len(prefix),
        mailbox_id=None,
        is_utf8=submitted.is_utf8,
        is_8bit=not submitted.content.isascii(),
    )
    received = describe(arrival, blob, await examine(blob))
    plan = plan_delivery(accepted)
    await runtime.database.write(accept_message, runtime.blobs, runtime.ids, received, plan)
    return arrival.trace_id


async def _references(tx: Transaction) -> list[tuple[int, tuple[int, int]]]:
    rows = await tx.fetch(
        "SELECT b.id, b.refs, (SELECT COUNT(*) FROM message m WHERE m.blob_id = b.id)"
        " + (SELECT COUNT(*) FROM queue_message q WHERE q.blob_id = b.id) FROM blob b"
    )
    return [(row[0], (row[1], row[2])) for row in rows]
