"""Whatever happens to the queue, a content is there exactly as long as somebody names it."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.modules.mail.addresses.model import Resolution
from freehold.modules.mail.queue import manage
from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered, failed
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.settle import StaleClaimError
from freehold.modules.mail.queue.store import Claim, due_lanes, end_leases
from freehold.storage.database import Transaction
from freehold.storage.open import open_database
from tests.mail_host import SCHEMAS, mail_host
from tests.modules.mail.queue.post_office import DAY_MS, HOST_NUMBER, MESSAGE, PostOffice, record

LARGE = MESSAGE + b"x" * 70 + b"\r\n" * 150_000
OUTCOMES = (delivered("250 ok"), deferred("451 later"), failed("550 no"))
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("enqueue"), st.integers(1, 3), st.booleans(), st.sampled_from(["ann@example.test", ""])
        ),
        st.tuples(st.just("file"), st.booleans()),
        st.tuples(st.just("claim"), st.integers(0, 3)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.sampled_from(OUTCOMES)),
        st.tuples(st.sampled_from(["hold", "release", "remove"]), st.integers(0, 9)),
        st.tuples(st.just("restart")),
        st.tuples(st.just("later"), st.integers(1, 10)),
    ),
    max_size=25,
)


class Story:
    """Does one step after the other."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office
        self._claims: list[Claim] = []

    async def do(self, step: tuple[object, ...]) -> None:
        """Do one step; steps that make no sense now do nothing."""
        office, database, blobs = self._office, self._office.runtime.database, self._office.runtime.blobs
        now_ms = office.clock.now_ms()
        match step:
            case ("enqueue", int(count), bool(is_large), str(sender)):
                content = LARGE if is_large else MESSAGE
                await office.enqueue(
                    *(f"joe@d{each}.test" for each in range(count)), sender=sender, content=content
                )
            case ("file", bool(is_large)):
                leads_to = Resolution(maildirs=("/nowhere/M/",), mboxes=("/nowhere/mbox",))
                content = LARGE if is_large else MESSAGE
                await office.enqueue_resolved("list@example.test", leads_to, content=content)
            case ("claim", int(which)):
                await self._claim(which)
            case ("settle", int(which), Outcome() as outcome):
                await self._settle(which, outcome)
            case ("hold", int(which)):
                await database.write(manage.hold_entries, await self._chosen(which), now_ms=now_ms)
            case ("release", int(which)):
                await database.write(manage.release_entries, await self._chosen(which), now_ms=now_ms)
            case ("remove", int(which)):
                await database.write(manage.remove_entries, blobs, await self._chosen(which), now_ms=now_ms)
            case ("restart",):
                await database.write(end_leases, host=HOST_NUMBER)
            case ("later", int(hours)):
                office.clock.forward(seconds=3600 * hours)

    async def _claim(self, which: int) -> None:
        office = self._office
        lanes = await office.runtime.database.read(due_lanes, now_ms=office.clock.now_ms(), most=9)
        if lanes:
            claim = await office.claim(lanes[which % len(lanes)][0])
            if claim is not None:
                self._claims.append(claim)

    async def _settle(self, which: int, outcome: Outcome) -> None:
        """Settle a claim; most are kept, so that they are settled twice or after they lapsed."""
        if self._claims:
            try:
                await record(self._office, self._claims[which % len(self._claims)], outcome)
            except StaleClaimError:
                return

    async def _chosen(self, which: int) -> list[manage.QueueEntry]:
        entries = await self._office.entries()
        return [entries[which % len(entries)]] if entries else []


async def _tell(steps: list[tuple[object, ...]], folder: Path) -> None:
    database = await open_database(str(folder / "freehold.db"), schemas=SCHEMAS)
    async with mail_host(database, folder) as host:
        await host.add_people("ann@example.test")
        office = PostOffice(host, QueueSettings())
        story = Story(office)
        for step in steps:
            await story.do(step)
            references = await office.references()
            assert all(counted == real > 0 for counted, real in references.values())
        entries = await office.entries()
        await host.runtime.database.write(manage.remove_entries, host.runtime.blobs, entries, now_ms=1)
        in_mailboxes = len(await host.messages_of("ann@example.test"))
        assert sorted((await office.references()).values()) == [(1, 1)] * in_mailboxes
        report = await host.runtime.blobs.sweep(older_than_ms=office.clock.now_ms() - DAY_MS)
        assert (report.missing, report.orphans) == (0, 0)
        large = await database.read(_large)
        assert len(list((folder / "blobs").glob("??/*"))) == large
    await database.close()


async def _large(tx: Transaction) -> int:
    rows = await tx.fetch("SELECT COUNT(*) FROM blob WHERE place <> 'row'")
    return int(rows[0][0])


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_references_are_exact_after_any_story(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_tell(steps, Path(folder)))
