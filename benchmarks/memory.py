"""How much memory the server needs at rest, and for each client that waits in IDLE, plain and over TLS."""

import resource
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.imap_client import CommandFailedError, ImapClient
from benchmarks.options import Options
from benchmarks.report import Table
from benchmarks.server import BenchServer, address_of, password_of, running_server
from benchmarks.smtp_client import Load, send
from tests.scenarios.server import ServerFailedError, trusting_context

DEFAULT_CONNECTIONS: Final = 10_000
USERS: Final = 10
SETTLE_SECONDS: Final = 2.0
"""What is freed is given back by then."""
SPARE_DESCRIPTORS: Final = 200
COLUMNS: Final = ("state", "processes", "PSS MiB", "private MiB", "told of mail", "PSS KiB per connection")


class Row(NamedTuple):
    """The memory of a server in some state.

    `told` are the connections to which news came at the end, and which then answered; without connections
    `each_kib` is 0.
    """

    state: str
    processes: int
    pss_mib: float
    private_mib: float
    told: int
    each_kib: float


def run(options: Options) -> Iterator[Table]:
    """Measure a server that was just started, then with idle connections; plain ones first."""
    connections = options.connections or DEFAULT_CONNECTIONS
    allow_descriptors(connections + SPARE_DESCRIPTORS)
    folder = options.folder / "memory"
    with running_server(folder, workers=options.workers, database=options.database, users=USERS) as server:
        rows = list(measure_connections(server, connections))
    title = f"memory by /proc/*/smaps_rollup, {options.workers} workers, clients in IDLE"
    yield Table("memory", title, COLUMNS, rows)


def measure_connections(server: BenchServer, connections: int) -> Iterator[Row]:
    """Measure a server, started anew for each kind of idle connections; plain ones first.

    Raises:
        ServerFailedError: not all connections are told of new mail.
    """
    for label, listener, context in (("plain", "imap", None), ("TLS", "imaps", trusting_context())):
        server.stop()
        server.start()
        yield _row(server, f"{label}: just started")
        port = server.ports[listener]
        for client in _idle_clients(port, context, 4 * USERS):  # each worker has now seen each login
            client.close()
        before = _row(server, f"{label}: before")
        yield before
        clients = _idle_clients(port, context, connections)
        after = _row(server, f"{label}: {connections:,} connections")
        each_kib = (after.pss_mib - before.pss_mib) * 1024 / connections
        yield after._replace(told=_tell(server, clients), each_kib=each_kib)
        for client in clients:
            client.close()


def _row(server: BenchServer, label: str) -> Row:
    time.sleep(SETTLE_SECONDS)
    memory = server.memory()
    return Row(label, memory.processes, memory.pss_kib / 1024, memory.private_kib / 1024, 0, 0.0)


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


def _tell(server: BenchServer, clients: Sequence[ImapClient]) -> int:
    """Deliver a message to each user; returns how many clients hear of it and then end IDLE: all."""
    users = tuple(map(address_of, range(1, USERS + 1)))
    sent = send(Load(server.ports["smtp"], USERS, 1, 1024, users))
    if sent.accepted != USERS:
        raise ServerFailedError(f"the mail was not accepted: {sent.failures}")
    for number, client in enumerate(clients):
        try:
            told = client.line()
            client.end_idle()
        except (CommandFailedError, OSError) as error:
            raise ServerFailedError(f"idle connection {number + 1} of {len(clients)}: {error}") from error
        if b" EXISTS\r\n" not in told:
            raise ServerFailedError(f"idle connection {number + 1} of {len(clients)} was told {told!r}")
    return len(clients)


def allow_descriptors(wanted: int) -> None:
    """Raise the soft limit of open files, which the server inherits.

    Raises:
        ServerFailedError: the hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise ServerFailedError(
                f"{wanted} open files are needed, {hard} allowed: ulimit -Hn, --connections"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
