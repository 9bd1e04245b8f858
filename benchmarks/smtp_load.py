"""How many messages a second are accepted, durably, over SMTP; by size and connections."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.options import Options
from benchmarks.report import Table, percentile
from benchmarks.server import BenchServer, address_of, running_server
from benchmarks.smtp_client import Load, Sent, send, shares
from tests.scenarios.server import ServerFailedError

KIB: Final = 1024
MIB: Final = 1024 * KIB
USERS: Final = 100
DEFAULT_MESSAGES: Final = 3_000
WARM_UP_MESSAGES: Final = 100
GENERATOR_FROM_CONNECTIONS: Final = 20
"""From here on two processes make the load, so that the generator is not the bottleneck."""
MANY: Final = 1_000
COLUMNS: Final = (
    "size, connections, messages each",
    "accepted",
    "failed",
    "messages/s",
    "MB/s",
    "CPU-s per 1,000",
    "p50 ms",
    "p99 ms",
    "generator CPU-s",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One row: `share` is its part of the wanted number of messages."""

    label: str
    size_bytes: int
    connections: int
    share: float
    per_connection: int = 1


CASES: Final = (
    Case("4 KiB, 1, 1", 4 * KIB, 1, 0.2),
    Case("4 KiB, 20, 1", 4 * KIB, 20, 1),
    Case("4 KiB, 100, 1", 4 * KIB, 100, 1),
    Case("4 KiB, 1, many", 4 * KIB, 1, 0.3, MANY),
    Case("4 KiB, 20, many", 4 * KIB, 20, 1, MANY),
    Case("64 KiB, 1, 1", 64 * KIB, 1, 0.1),
    Case("64 KiB, 20, 1", 64 * KIB, 20, 0.3),
    Case("64 KiB, 100, 1", 64 * KIB, 100, 0.3),
    Case("1 MiB, 1, 1", MIB, 1, 0.02),
    Case("1 MiB, 20, 1", MIB, 20, 0.05),
    Case("1 MiB, 100, 1", MIB, 100, 0.05),
)


@dataclass(frozen=True, slots=True)
class Rate:
    """What a load came to; CPU is the server's, in seconds."""

    sent: Sent
    seconds: float
    server_cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Accepted messages per second."""
        return self.sent.accepted / self.seconds if self.seconds else 0.0

    @property
    def cpu_per_thousand(self) -> float:
        """The server's CPU seconds for 1,000 accepted messages."""
        return self.server_cpu_seconds / max(self.sent.accepted, 1) * 1000


class Generators:
    """Processes that send loads together."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def send(self, load: Load) -> Sent:
        """Send a load and return what came of it in all."""
        processes = 2 if load.connections >= GENERATOR_FROM_CONNECTIONS else 1
        tasks = [self._pool.submit(send, share, first) for share, first in shares(load, processes)]
        parts = [task.result() for task in tasks]
        return Sent(
            accepted=sum(part.accepted for part in parts),
            failed=sum(part.failed for part in parts),
            started=min(part.started for part in parts),
            ended=max(part.ended for part in parts),
            cpu_seconds=sum(part.cpu_seconds for part in parts),
            latencies=[latency for part in parts for latency in part.latencies],
            failures=[failure for part in parts for failure in part.failures],
        )

    def measure(self, server: BenchServer, load: Load) -> Rate:
        """Send a load to a server and check that exactly the accepted messages are stored.

        Raises:
            ServerFailedError: more or fewer are stored than were accepted.
        """
        stored, cpu = server.stored_messages(), server.cpu_seconds()
        sent = self.send(load)
        cpu_seconds = server.cpu_seconds() - cpu
        arrived = server.stored_messages() - stored
        if arrived != sent.accepted:
            raise ServerFailedError(f"{sent.accepted} messages were accepted and {arrived} are stored")
        return Rate(sent, sent.ended - sent.started, cpu_seconds)


@contextmanager
def generators() -> Iterator[Generators]:
    """Start the processes of the load generator, and end them afterwards."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield Generators(pool)


def load_for(server: BenchServer, case: Case, messages: int, users: int = USERS) -> Load:
    """Return the load of a case; no connection is without a message."""
    return Load(
        port=server.ports["smtp"],
        messages=max(round(messages * case.share), case.connections, 1),
        connections=case.connections,
        size_bytes=case.size_bytes,
        recipients=tuple(map(address_of, range(1, users + 1))),
        per_connection=case.per_connection,
    )


def run(options: Options) -> Iterator[Table]:
    """Measure every case against one server, the next case on top of the last one's mail."""
    messages = options.messages or DEFAULT_MESSAGES
    rows, failures = [], set[str]()
    folder = options.folder / "smtp"
    with (
        running_server(folder, workers=options.workers, database=options.database, users=USERS) as server,
        generators() as generator,
    ):
        warm_up = load_for(server, CASES[1], WARM_UP_MESSAGES)
        generator.measure(server, replace(warm_up, messages=WARM_UP_MESSAGES))
        for case in CASES:
            load = load_for(server, case, messages)
            rate = generator.measure(server, load)
            failures.update(rate.sent.failures)
            rows.append(_row(case, rate))
    for failure in sorted(failures):
        print(f"  smtp: a message failed: {failure}")
    yield Table("smtp", f"messages accepted durably, {options.workers} workers", COLUMNS, rows)


def _row(case: Case, rate: Rate) -> tuple[str | int | float, ...]:
    latencies = rate.sent.latencies
    return (
        case.label,
        rate.sent.accepted,
        rate.sent.failed,
        rate.per_second,
        rate.per_second * case.size_bytes / 1e6,
        rate.cpu_per_thousand,
        percentile(latencies, 0.5) * 1000,
        percentile(latencies, 0.99) * 1000,
        rate.sent.cpu_seconds,
    )
