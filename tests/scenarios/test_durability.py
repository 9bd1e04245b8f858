"""What was answered 250 is there, once and unchanged, however often the server is killed meanwhile."""

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.databases import PostgresDatabases, postgres_programs, postgres_server
from tests.scenarios.chaos import kill_at_random
from tests.scenarios.checks import check_mailbox, check_storage, wait_for_empty_queue
from tests.scenarios.clients import deliver, message, open_imap
from tests.scenarios.load import Fate, Load
from tests.scenarios.server import running_server
from tests.scenarios.sink import Sink, sink

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.timeout(400)]

DURABILITY_SECONDS = float(os.environ.get("FREEHOLD_DURABILITY_SECONDS", "60"))
POSTGRES_RESTART_SECONDS = min(20.0, DURABILITY_SECONDS)
POSTGRES_RESTARTS = 4
SINK = "sink@[127.0.0.1]"
FILED = "filed@example.test"
LANES = 4
"""Deliveries to one destination that a kill may interrupt (`max_lanes_per_destination`)."""


@asynccontextmanager
async def busy_installation(folder: Path, database: str) -> AsyncIterator[tuple[Load, Sink]]:
    """Run a server, and a host elsewhere that its queue delivers to."""
    async with sink() as elsewhere:
        queue = (
            f"[mail.queue]\nfirst_retry_seconds = 1\nlongest_retry_seconds = 1\nsmtp_port = {elsewhere.port}"
        )
        # Started and ended beside the loop, which the sink needs meanwhile.
        running = running_server(folder, database=database, extra=queue)
        server = await asyncio.to_thread(running.__enter__)
        try:
            await asyncio.to_thread(server.run, "alias", "add", FILED, f"maildir:{folder / 'filed'}/")
            yield Load(server), elsewhere
        finally:
            await asyncio.to_thread(running.__exit__, None, None, None)


async def send_from_everywhere(load: Load) -> None:
    """Keep 20 clients busy until the load is stopped."""
    async with asyncio.TaskGroup() as clients:
        for seed in range(7):
            clients.create_task(load.exchange(seed))
        for seed in range(4):
            clients.create_task(load.local(seed))
        for seed in range(3):
            clients.create_task(load.store(seed))
        for seed, listener in enumerate(("submission", "submission", "submission", "submissions")):
            clients.create_task(load.submit(seed, listener, ("bob@example.test", FILED, SINK)))
        for seed in range(2):
            clients.create_task(load.submit(seed + 4, "submission", (SINK,)))


def report(what: str, summary: str) -> None:
    """Show, with pytest -s or on failure, how much was sent and killed."""
    sys.stdout.write(f"{what} {summary}\n")


async def check_everything(load: Load, elsewhere: Sink, *, interruptions: int) -> str:
    """Check all that was sent against what is there; returns a summary."""
    server, ledger = load.server, load.ledger
    assert not ledger.permanent_refusals()
    assert all(code < 500 for code in ledger.codes), ledger.codes
    await wait_for_empty_queue(server)
    counts = [await check_mailbox(server, f"{name}@example.test", ledger) for name in ("ann", "bob")]
    filed = Counter(
        ledger.identify(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        for path in (server.folder / "filed" / "new").iterdir()
    )
    taken = Counter(map(ledger.identify, elsewhere.taken))
    for address, arrived in ((FILED, filed), (SINK, taken)):
        assert not ledger.ids(address, Fate.TAKEN) - arrived.keys(), f"lost on the way to {address}"
        assert not arrived.keys() - ledger.ids(address)
    assert filed.total() == len(filed)
    twice = taken.total() - len(taken)
    assert twice <= interruptions * LANES
    await asyncio.to_thread(server.stop)
    storage = await check_storage(server)
    known = Counter(fate for sent in ledger.sent.values() for fate in sent.fates.values())
    return (
        f"{len(ledger.sent)} messages sent, {known[Fate.TAKEN]} deliveries acknowledged,"
        f" {known[Fate.REFUSED]} refused, {known[Fate.UNKNOWN]} cut off;"
        f" {sum(counts)} in mailboxes, {len(filed)} filed, {len(taken)} relayed ({twice} twice);"
        f" {storage.rows} rows, {storage.files} files, {storage.orphans} orphans swept;"
        f" {ledger.lost_connections} connections lost"
    )


async def survive_kills(folder: Path, database: str) -> str:
    """Deliver while processes are killed, then check; returns a summary."""
    async with busy_installation(folder, database) as (load, elsewhere):
        server = load.server
        asyncio.get_running_loop().call_later(DURABILITY_SECONDS, load.stop.set)
        async with asyncio.TaskGroup() as group:
            group.create_task(send_from_everywhere(load))
            kills = await kill_at_random(server, load.stop, random.Random(7))
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        interruptions = kills.workers + kills.servers + 1
        summary = await check_everything(load, elsewhere, interruptions=interruptions)
    assert kills.servers
    assert kills.workers
    return f"{kills.workers} workers and {kills.servers + 1} servers killed; {summary}"


async def test_nothing_acknowledged_is_lost_when_processes_are_killed(tmp_path: Path) -> None:
    report("SQLite:", await survive_kills(tmp_path, ""))


async def test_nothing_acknowledged_is_lost_when_processes_are_killed_on_postgresql(
    tmp_path: Path, postgres_url: str
) -> None:
    report("PostgreSQL:", await survive_kills(tmp_path, postgres_url))


def test_flags_that_were_answered_survive_the_end_of_every_process(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        deliver(server, *(message(f"number {number}") for number in range(20)))
        client = open_imap(server)
        client.select()
        for number in range(1, 21):
            assert client.store(str(number), "+FLAGS", "(\\Flagged)")[0] == "OK"
        server.kill()
        client.shutdown()
        server.start()
        with open_imap(server) as client:
            client.select()
            assert client.search(None, "FLAGGED")[1] == [b" ".join(b"%d" % each for each in range(1, 21))]


def restart_postgres(url: str) -> None:
    """Have the private PostgreSQL server drop everything and recover."""
    programs = postgres_programs()
    assert programs is not None
    data = Path(parse_qs(urlsplit(url).query)["host"][0]) / "data"
    subprocess.run(
        [str(programs / "pg_ctl"), "-D", data, "-w", "-m", "immediate", "-l", data.parent / "log", "restart"],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data.parent,
        # PostgreSQL does not run as root: the server's folder tells as whom it does
        user=data.stat().st_uid,
        group=data.stat().st_gid,
        extra_groups=[] if os.geteuid() == 0 else None,
    )


@pytest.fixture
def own_postgres_url() -> Iterator[str]:
    """The address of a database on a server that no other test uses."""
    with postgres_server() as server_url:
        yield PostgresDatabases(server_url).create()


async def test_a_postgresql_server_that_restarts_costs_patience_but_no_mail(
    tmp_path: Path, own_postgres_url: str
) -> None:
    async with busy_installation(tmp_path, own_postgres_url) as (load, elsewhere):
        before = load.server.pids()
        async with asyncio.TaskGroup() as group:
            group.create_task(send_from_everywhere(load))
            for _ in range(POSTGRES_RESTARTS):
                await asyncio.sleep(POSTGRES_RESTART_SECONDS / (POSTGRES_RESTARTS + 1))
                await asyncio.to_thread(restart_postgres, own_postgres_url)
            await asyncio.sleep(POSTGRES_RESTART_SECONDS / (POSTGRES_RESTARTS + 1))
            load.stop.set()
        assert load.server.pids() == before
        summary = await check_everything(load, elsewhere, interruptions=POSTGRES_RESTARTS)
    report(f"PostgreSQL restarted {POSTGRES_RESTARTS} times:", summary)
