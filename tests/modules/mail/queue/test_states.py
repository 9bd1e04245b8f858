"""Every transition of `queue/states.py`, and a crash before and after each.

A crash is an attempt that is abandoned; the next start is `end_leases`, as the runner does it.
"""

import asyncio

import pytest

from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.queue import lane, manage
from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered, failed
from freehold.modules.mail.queue.settle import StaleClaimError
from freehold.modules.mail.queue.states import LEASE_MS
from freehold.modules.mail.queue.store import Claim, Lane, end_leases
from freehold.storage.database import Transaction
from tests.modules.mail.queue.post_office import HOST_NUMBER, PostOffice, record

FAR = Lane(Transport.SMTP, "far.test")


async def restart(office: PostOffice, host: int = HOST_NUMBER) -> None:
    """Begin as the queue runner does."""
    await office.runtime.database.write(end_leases, host=host)


async def claimed(office: PostOffice) -> Claim:
    claim = await office.claim(FAR)
    assert claim is not None
    return claim


async def test_what_is_leased_is_not_claimed_again(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test")
    claim = await claimed(any_office)
    assert [each.recipient for each in claim.recipients] == ["joe@far.test"]
    assert await any_office.claim(FAR) is None
    (entry,) = await any_office.entries()
    assert entry.is_leased


async def test_after_a_crash_between_claim_and_settle_it_is_delivered_by_the_next_runner(
    any_office: PostOffice,
) -> None:
    async with any_office.sink() as sink:
        await any_office.enqueue("joe@far.test")
        await claimed(any_office)
        assert await any_office.deliver() == 0
        await restart(any_office)
        assert await any_office.deliver() == 1
    assert len(sink.messages) == 1


async def test_a_restart_ends_only_the_leases_of_its_own_host(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test")
    await claimed(any_office)
    await restart(any_office, host=HOST_NUMBER + 1)
    assert await any_office.claim(FAR) is None


async def test_the_lease_of_a_host_that_never_comes_back_lapses(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test")
    await claimed(any_office)
    any_office.clock.forward(seconds=LEASE_MS / 1000)
    assert await any_office.claim(FAR) is not None


async def test_a_crash_after_the_peers_250_delivers_again_and_loses_nothing(any_office: PostOffice) -> None:
    async with any_office.sink() as sink:
        await any_office.enqueue("joe@far.test")
        claim = await claimed(any_office)
        courier = any_office.couriers.make(FAR)
        await courier.deliver(claim)
        await courier.close()
        await restart(any_office)
        await any_office.deliver()
    assert len(sink.messages) == 2
    assert await any_office.entries() == []
    assert await any_office.references() == {}


async def test_a_settle_whose_answer_was_lost_changes_nothing_the_second_time(
    any_office: PostOffice,
) -> None:
    await any_office.enqueue("joe@far.test")
    claim = await claimed(any_office)
    await record(any_office, claim, failed("550 no"))
    with pytest.raises(StaleClaimError):
        await record(any_office, claim, failed("550 no"))
    await record(any_office, claim, delivered("250 ok"))
    assert await any_office.states("joe@far.test") == ["bounced"]
    assert len(await any_office.host.messages_of("ann@example.test")) == 1
    assert set((await any_office.references()).values()) == {(1, 1)}


async def test_a_deferred_recipient_waits_until_it_is_due(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test")
    due_ms = any_office.clock.now_ms() + 1000
    await record(any_office, await claimed(any_office), deferred("451 later"), due_ms=due_ms)
    assert await any_office.claim(FAR) is None
    any_office.clock.forward(seconds=1)
    (again,) = (await claimed(any_office)).recipients
    assert again.attempts == 1


async def test_a_settle_after_its_lease_lapsed_leaves_the_next_claim_alone(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test")
    old = await claimed(any_office)
    any_office.clock.forward(seconds=LEASE_MS / 1000)
    new = await claimed(any_office)
    await record(any_office, old, deferred("451 later"))
    (entry,) = await any_office.entries()
    assert (entry.is_leased, entry.attempts) == (True, 0)
    await record(any_office, new, delivered("250 ok"))
    assert await any_office.entries() == []


async def test_what_is_removed_during_delivery_stays_removed_and_sends_no_bounce(
    any_office: PostOffice,
) -> None:
    await any_office.enqueue("joe@far.test", "jim@far.test")
    claim = await claimed(any_office)
    joe = [each for each in await any_office.entries() if each.recipient == "joe@far.test"]
    runtime = any_office.runtime
    await runtime.database.write(manage.remove_entries, runtime.blobs, joe, now_ms=any_office.clock.now_ms())
    with pytest.raises(StaleClaimError) as caught:
        await record(any_office, claim, failed("550 no"))
    assert caught.value.left == {each.recipient_id for each in await any_office.entries()}
    assert await any_office.states("joe@far.test") == ["removed"]


async def test_a_lane_reports_only_what_was_not_removed_meanwhile(any_office: PostOffice) -> None:
    """The removal happens while the peer thinks about the content."""
    async with any_office.sink() as sink:
        await any_office.enqueue("joe@far.test", "jim@far.test")
        sink.script.replies["."] = [b"550 5.7.1 no\r\n"]
        courier = any_office.couriers.make(FAR)
        removing = _RemovingCourier(any_office, courier, "joe@far.test")
        assert await lane.run_lane(any_office.context, FAR, removing) == 1
    (report,) = await any_office.host.messages_of("ann@example.test")
    assert b"Final-Recipient: rfc822; jim@far.test" in report
    assert b"joe@far.test" not in report.partition(b"Content-Type: message/rfc822")[0]


async def test_what_is_held_during_delivery_stays_held_if_deferred(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test")
    claim = await claimed(any_office)
    now_ms = any_office.clock.now_ms()
    await any_office.runtime.database.write(manage.hold_entries, await any_office.entries(), now_ms=now_ms)
    await record(any_office, claim, deferred("451 later"), due_ms=now_ms)
    (entry,) = await any_office.entries()
    assert (entry.state, entry.attempts) == ("held", 1)
    assert await any_office.deliver() == 0
    await any_office.runtime.database.write(manage.release_entries, await any_office.entries(), now_ms=now_ms)
    assert await any_office.claim(FAR) is not None


async def test_an_outcome_that_cannot_be_recorded_is_held_and_not_repeated(
    any_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_tx: Transaction, *_arguments: object) -> None:
        raise FolderNotFoundError

    monkeypatch.setattr(lane, "settle", broken)
    async with any_office.sink() as sink:
        await any_office.enqueue("joe@far.test")
        await any_office.deliver()
        any_office.clock.forward(seconds=100_000)
        await any_office.deliver()
    assert len(sink.messages) == 1
    (entry,) = await any_office.entries()
    assert (entry.state, entry.is_leased) == ("held", False)


async def test_removing_the_last_recipient_frees_the_content(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@far.test", "joe@near.test")
    runtime = any_office.runtime
    for left in (1, 0):
        first = (await any_office.entries())[:1]
        await runtime.database.write(
            manage.remove_entries, runtime.blobs, first, now_ms=any_office.clock.now_ms()
        )
        assert len(await any_office.references()) == left


async def test_lanes_that_claim_at_once_never_get_the_same_recipient(any_office: PostOffice) -> None:
    for number in range(12):
        await any_office.enqueue(f"joe{number}@far.test")
    claims = await asyncio.gather(*(any_office.claim(FAR) for _ in range(16)))
    taken = [each.recipient for claim in claims if claim is not None for each in claim.recipients]
    assert sorted(taken) == sorted(f"joe{number}@far.test" for number in range(12))


async def test_the_last_two_recipients_settled_at_once_free_the_content_once(
    any_office: PostOffice,
) -> None:
    for _ in range(10):
        await any_office.enqueue("joe@far.test", "joe@near.test")
        claims = [await any_office.claim(each) for each in (FAR, Lane(Transport.SMTP, "near.test"))]
        await asyncio.gather(
            *(record(any_office, claim, delivered("250 ok")) for claim in claims if claim is not None)
        )
    assert await any_office.entries() == []
    assert await any_office.references() == {}


class _RemovingCourier:
    """Delivers, and has a person remove a recipient before the outcome is known."""

    is_spent = False

    def __init__(self, office: PostOffice, courier: lane.Courier, address: str) -> None:
        self._office = office
        self._courier = courier
        self._address = address

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        outcomes = await self._courier.deliver(claim)
        office = self._office
        chosen = [each for each in await office.entries() if each.recipient == self._address]
        runtime = office.runtime
        await runtime.database.write(
            manage.remove_entries, runtime.blobs, chosen, now_ms=office.clock.now_ms()
        )
        return outcomes

    async def close(self) -> None:
        await self._courier.close()
