"""How long a change takes to reach a client that waits: in the same process, another, and on another host."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.database import fresh_database
from benchmarks.imap_client import ImapClient
from benchmarks.options import Options
from benchmarks.processes import holder_of, tree_of
from benchmarks.report import Table, percentile
from benchmarks.server import BenchServer, address_of, password_of

DEFAULT_CHANGES: Final = 200
GAP_SECONDS: Final = 0.035
"""Between two changes: news of one folder are told once in 30 ms."""
MOST_CONNECTIONS: Final = 64
"""Tried until the two clients are where they should be."""
COLUMNS: Final = ("from the change's OK to", "changes", "median ms", "p95 ms", "worst ms")
NOTIFY: Final = b"NOTIFY SET (personal (MessageNew MessageExpunge FlagChange))"

Row = tuple[str, int, float, float, float]


class PlaceError(RuntimeError):
    """No two connections were taken by the processes that should be measured."""


def run(options: Options) -> Iterator[Table]:
    """Measure with one process, with several, and on PostgreSQL with two hosts."""
    changes = options.messages or DEFAULT_CHANGES
    rows: list[Row] = []
    for label, workers in (("the same process", 0), ("another process", max(2, options.workers))):
        with fresh_database(options.database) as url, ExitStack() as stack:
            server = _started(stack, options.folder / f"news-{workers}", workers, url)
            rows += _measure(server, server, label, changes)
    if options.database:
        with fresh_database(options.database) as url, ExitStack() as stack:
            here = _started(stack, options.folder / "news-here", 0, url)
            there = _started(stack, options.folder / "news-there", 0, url, users=0)
            rows += _measure(here, there, "another host", changes)
    engine = "PostgreSQL" if options.database else "SQLite"
    yield Table(
        "news", f"news of a change by STORE, every {GAP_SECONDS * 1000:.0f} ms, {engine}", COLUMNS, rows
    )


def _started(stack: ExitStack, folder: Path, workers: int, url: str, users: int = 1) -> BenchServer:
    server = BenchServer(folder, database=url, workers=workers)
    stack.callback(server.end)
    server.start()
    if users:
        server.add_users(users)
    return server


def _measure(at: BenchServer, other: BenchServer, label: str, changes: int) -> Iterator[Row]:
    """Yield a row for a client in IDLE and one for a client with NOTIFY, which have the folder not open."""
    for how in ("IDLE", "NOTIFY"):
        actor = _client(at)
        actor.append(b"INBOX", b"Subject: x\r\n\r\nbody\r\n")
        actor.command(b"SELECT INBOX")
        watcher = _client(other) if at is not other else _elsewhere(at, actor)
        if how == "IDLE":
            watcher.command(b"SELECT INBOX")
            watcher.start_idle()
        else:
            watcher.command(b"ENABLE CONDSTORE")
            watcher.command(NOTIFY)
        waits = sorted(1000 * wait for wait in _waits(actor, watcher, changes))
        yield f"{how} in {label}", len(waits), percentile(waits, 0.5), percentile(waits, 0.95), waits[-1]
        watcher.close()
        actor.close()


def _waits(actor: ImapClient, watcher: ImapClient, changes: int) -> Iterator[float]:
    for number in range(changes):
        time.sleep(GAP_SECONDS)
        actor.command(b"STORE 1 %bFLAGS.SILENT (\\Flagged)" % (b"-" if number % 2 else b"+"))
        told = time.perf_counter()
        watcher.line()
        yield time.perf_counter() - told


def _client(server: BenchServer) -> ImapClient:
    client = ImapClient(server.ports["imap"])
    client.login(address_of(1), password_of(1))
    return client


def _elsewhere(server: BenchServer, actor: ImapClient) -> ImapClient:
    """Return a client of another process than the actor's, if there are several."""
    if server.workers == 0:
        return _client(server)
    assert server.process is not None
    pids = tree_of(server.process.pid)
    place = holder_of(pids, actor.address)
    for _ in range(MOST_CONNECTIONS):
        client = _client(server)
        if holder_of(pids, client.address) != place:
            return client
        client.close()
    raise PlaceError("all connections were taken by one process")
