"""The runner: everything that is due is delivered, in bounds, and stopping it loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.events import QueueChanged
from freehold.modules.mail.queue.lane import run_lane
from freehold.modules.mail.queue.outcome import Outcome, delivered
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.store import Claim, Lane, due_lanes
from tests.modules.mail.queue.post_office import PostOffice
from tests.smtp_sink import SILENCE, Script

FAR = Lane(Transport.SMTP, "far.test")


@asynccontextmanager
async def running(office: PostOffice) -> AsyncIterator[None]:
    """Run the queue runner; its end is waited for, and must come within seconds."""
    task = asyncio.create_task(office.runner().run())
    try:
        yield
    finally:
        task.cancel()
        async with asyncio.timeout(8):
            with suppress(asyncio.CancelledError):
                await task


async def empty(office: PostOffice) -> None:
    """Return when nothing is queued."""
    async with asyncio.timeout(60):
        while await office.entries():  # noqa: ASYNC110 - a settle has no event when it goes well
            await asyncio.sleep(0.02)


async def test_a_long_queue_for_one_domain_is_emptied_over_few_connections(any_office: PostOffice) -> None:
    async with any_office.sink() as sink:
        any_office.configure(
            QueueSettings(
                smtp_port=sink.port, max_lanes=3, max_lanes_per_destination=2, max_messages_per_connection=5
            )
        )
        for number in range(60):
            await any_office.enqueue(f"joe{number}@far.test")
        async with running(any_office):
            await sink.wait_for(60)
            await empty(any_office)
    assert sorted(taken.recipients[0] for taken in sink.messages) == sorted(
        f"joe{number}@far.test" for number in range(60)
    )
    assert sink.most_open <= 2


async def test_more_destinations_than_lanes_all_have_their_turn(any_office: PostOffice) -> None:
    async with any_office.sink() as sink:
        any_office.configure(QueueSettings(smtp_port=sink.port, max_lanes=3))
        for number in range(20):
            domain = f"d{number}.test"
            any_office.host.resolver.exchangers[domain] = any_office.host.resolver.exchangers["far.test"]
            await any_office.enqueue(f"a@{domain}", f"b@{domain}")
        async with running(any_office):
            await sink.wait_for(20)
            await empty(any_office)
    assert sink.most_open <= 3


async def test_news_of_a_message_wakes_the_runner(office: PostOffice) -> None:
    async with office.sink() as sink, running(office):
        await asyncio.sleep(0)
        await office.enqueue("joe@far.test")
        office.runtime.bus.publish(QueueChanged(due_ms=office.clock.now_ms()))
        await sink.wait_for(1)
        await empty(office)


async def test_a_destination_that_never_answers_does_not_hold_up_others(office: PostOffice) -> None:
    slow = Script(always={"GREETING": SILENCE})
    async with office.sink(slow, domain="slow.test") as stuck, office.sink(address="127.0.0.3") as sink:
        for number in range(100):
            await office.enqueue(f"joe{number}@slow.test")
        await office.enqueue("jim@far.test")
        async with running(office):
            await sink.wait_for(1)
        assert stuck.most_open <= 4


async def test_stopping_within_a_delivery_puts_it_back_for_the_next_start(any_office: PostOffice) -> None:
    async with any_office.sink(Script({".": [SILENCE]})) as sink:
        await any_office.enqueue("joe@far.test")
        async with running(any_office):
            await sink.wait_for_command("DATA")
        assert await any_office.deliver() == 0  # still leased
        async with running(any_office):
            await sink.wait_for(1)
            await empty(any_office)
    assert sink.commands.count("QUIT") == 1  # never into a message


async def test_an_outcome_that_is_known_when_the_server_stops_is_still_recorded(
    any_office: PostOffice,
) -> None:
    await any_office.enqueue("joe@far.test")
    task = asyncio.create_task(run_lane(any_office.context, FAR, _StoppedAfterDelivery()))
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert await any_office.entries() == []
    assert await any_office.states("joe@far.test") == ["relayed"]


async def test_a_courier_that_fails_defers_and_the_lane_goes_on(office: PostOffice) -> None:
    await office.enqueue("joe@far.test")
    await office.enqueue("jim@far.test")
    assert await run_lane(office.context, FAR, _Broken()) == 2
    assert [each.attempts for each in await office.entries()] == [1, 1]


async def test_what_waits_longest_comes_first_and_counts_are_right(any_office: PostOffice) -> None:
    await any_office.enqueue("joe@late.test", "jim@late.test")
    any_office.clock.forward(seconds=-10)
    await any_office.enqueue("joe@early.test")
    any_office.clock.forward(seconds=10)
    now_ms = any_office.clock.now_ms()
    found = await any_office.runtime.database.read(due_lanes, now_ms=now_ms, most=9)
    assert found == [(Lane(Transport.SMTP, "early.test"), 1), (Lane(Transport.SMTP, "late.test"), 2)]
    assert len(await any_office.runtime.database.read(due_lanes, now_ms=now_ms, most=1)) == 1


class _StoppedAfterDelivery:
    """The server is told to stop just as the peer has answered."""

    is_spent = False

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return {each.id: delivered("250 ok") for each in claim.recipients}

    async def close(self) -> None:
        pass


class _Broken:
    is_spent = False

    async def deliver(self, claim: Claim) -> dict[int, Outcome]:
        raise RuntimeError(f"a fault with {claim.queue_id}")

    async def close(self) -> None:
        pass
