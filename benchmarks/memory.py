"""How much memory the server needs at rest, and for each client that waits in IDLE, plain and over TLS."""

import resource
import ssl
import time
from collections.abc import Iterator
from typing import Final

from benchmarks.imap_client import ImapClient, trusting_context
from benchmarks.options import Options
from benchmarks.report import Table
from benchmarks.server import BenchServer, address_of, password_of, running_server

DEFAULT_CONNECTIONS: Final = 1_000
USERS: Final = 10
SETTLE_SECONDS: Final = 2.0
"""What is freed is given back by then."""
SPARE_DESCRIPTORS: Final = 200
COLUMNS: Final = ("state", "processes", "PSS MiB", "private MiB", "PSS KiB per connection")

Row = tuple[str, int, float, float, float]


def run(options: Options) -> Iterator[Table]:
    """Measure a server that was just started, then with idle connections; plain ones first."""
    connections = options.connections or DEFAULT_CONNECTIONS
    allow_descriptors(connections + SPARE_DESCRIPTORS)
    folder = options.folder / "memory"
    with running_server(folder, workers=options.workers, database=options.database, users=USERS) as server:
        server.stop()
        server.start()
        rows = [_row(server, "at rest, just started", 0, 0.0), *measure_connections(server, connections)]
    title = f"memory by /proc/*/smaps_rollup, {options.workers} workers, clients in IDLE"
    yield Table("memory", title, COLUMNS, rows)


def measure_connections(server: BenchServer, connections: int) -> Iterator[Row]:
    """Measure a running server with idle connections, which it is then rid of; plain ones first."""
    for label, port, context in (
        ("plain", server.ports["imap"], None),
        ("TLS", server.ports["imaps"], trusting_context()),
    ):
        for client in _idle_clients(port, context, 4 * USERS):  # each worker has now seen each login
            client.close()
        before = _row(server, f"{label}: before", 0, 0.0)
        yield before
        clients = _idle_clients(port, context, connections)
        yield _row(server, f"{label}: {connections:,} connections", connections, before[2])
        for client in clients:
            client.close()


def _row(server: BenchServer, label: str, connections: int, before_mib: float) -> Row:
    time.sleep(SETTLE_SECONDS)
    memory = server.memory()
    pss_mib = memory.pss_kib / 1024
    each = (pss_mib - before_mib) * 1024 / connections if connections else 0.0
    return (label, memory.processes, pss_mib, memory.private_kib / 1024, each)


def _idle_clients(port: int, context: ssl.SSLContext | None, count: int) -> list[ImapClient]:
    clients = []
    for number in range(count):
        client = ImapClient(port, context)
        user = number % USERS + 1
        client.login(address_of(user), password_of(user))
        client.command(b"SELECT INBOX")
        client.start_idle()
        clients.append(client)
    return clients


def allow_descriptors(wanted: int) -> None:
    """Raise the soft limit of open files, which the server inherits, as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
