"""How fast a mailbox of many messages is filled, opened, listed, read, searched and changed over IMAP."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from benchmarks.imap_client import ImapClient
from benchmarks.messages import make_message
from benchmarks.options import Options
from benchmarks.report import Table
from benchmarks.server import BenchServer, address_of, password_of, running_server

DEFAULT_MESSAGES: Final = 10_000
SIZE_BYTES: Final = 4 * 1024
USERS: Final = 10
FIRST_LOGINS: Final = USERS
LOGINS: Final = 500
APPENDS: Final = 500
APPENDERS: Final = 10
STORES: Final = 500
READS: Final = 500
BODIES: Final = 1_000
MAILBOX: Final = b"Bench"
COLUMNS: Final = ("action", "value", "unit", "server CPU-s")
LIST_VIEW: Final = b"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
HEADER_FIELDS: Final = b"(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE MESSAGE-ID)])"

Row = tuple[str, float, str, float]


@dataclass(frozen=True, slots=True)
class Meter:
    """Times an action and reads the server's CPU time around it."""

    server: BenchServer

    def time(self, label: str, action: Callable[[], object]) -> Row:
        """Return how many milliseconds an action took."""
        seconds, cpu_seconds = self._measure(action)
        return (label, seconds * 1000, "ms", cpu_seconds)

    def rate(self, label: str, count: float, unit: str, action: Callable[[], object]) -> Row:
        """Return how many of something an action did each second."""
        seconds, cpu_seconds = self._measure(action)
        return (label, count / seconds, unit, cpu_seconds)

    def throughput(self, label: str, action: Callable[[], int]) -> Row:
        """Return how many megabytes an action, which returns octets, brought each second."""
        octets: list[int] = []
        seconds, cpu_seconds = self._measure(lambda: octets.append(action()))
        return (label, octets[0] / 1e6 / seconds, "MB/s", cpu_seconds)

    def _measure(self, action: Callable[[], object]) -> tuple[float, float]:
        cpu, began = self.server.cpu_seconds(), time.perf_counter()
        action()
        seconds = time.perf_counter() - began
        return seconds, self.server.cpu_seconds() - cpu


def run(options: Options) -> Iterator[Table]:
    """Fill one mailbox, then do to it what mail programs do."""
    count = options.messages or DEFAULT_MESSAGES
    folder = options.folder / "imap"
    with running_server(folder, workers=options.workers, database=options.database, users=USERS) as server:
        rows = list(_measure_all(server, count))
    yield Table(
        "imap", f"a mailbox of {count:,} messages of 4 KiB, one connection if not said", COLUMNS, rows
    )


def _measure_all(server: BenchServer, count: int) -> Iterator[Row]:
    meter = Meter(server)
    yield from _logins(server, meter)
    client = _log_in(server, 1)
    client.command(b"CREATE " + MAILBOX)
    messages = [make_message(number, SIZE_BYTES) for number in range(count)]
    first, others = messages[:APPENDS], messages[APPENDS:]
    yield meter.rate("APPEND", len(first), "per s", lambda: _append(client, first))
    if others:
        label = f"APPEND, {APPENDERS} connections"
        yield meter.rate(label, len(others), "per s", lambda: _append_together(server, others))
    yield meter.time("SELECT", lambda: client.command(b"SELECT " + MAILBOX))
    yield from _fetches(client, meter, count)
    yield from _searches(client, meter)
    stores = min(STORES, count)
    yield meter.rate("STORE one flag", stores, "per s", lambda: _store(client, stores))
    yield meter.time("STORE 1:* +FLAGS.SILENT", lambda: client.command(b"STORE 1:* +FLAGS.SILENT (\\Seen)"))
    client.close()


def _logins(server: BenchServer, meter: Meter) -> Iterator[Row]:
    def log_in_and_out(count: int) -> None:
        for number in range(count):
            client = _log_in(server, number % USERS + 1)
            client.command(b"LOGOUT")
            client.close()

    yield meter.rate("login, first", FIRST_LOGINS, "per s", lambda: log_in_and_out(FIRST_LOGINS))
    log_in_and_out(4 * USERS)  # each worker has now seen each login
    yield meter.rate("login, again", LOGINS, "per s", lambda: log_in_and_out(LOGINS))


def _fetches(client: ImapClient, meter: Meter, count: int) -> Iterator[Row]:
    for label, items in (
        ("FLAGS", b"FLAGS"),
        ("ENVELOPE", b"ENVELOPE"),
        ("list view", LIST_VIEW),
        ("list view (again)", LIST_VIEW),
        ("header fields", HEADER_FIELDS),
    ):
        words = b"FETCH 1:* " + items
        yield meter.time(f"FETCH {label}", lambda words=words: client.command(words))  # type: ignore[misc]
    bodies = min(BODIES, count)
    words = b"FETCH 1:%d BODY.PEEK[]" % bodies
    yield meter.throughput(f"FETCH BODY[] of {bodies:,}", lambda: client.command(words))
    yield meter.throughput(f"FETCH BODY[] of {bodies:,} (again)", lambda: client.command(words))
    reads = min(READS, count)
    yield meter.rate("FETCH BODY[] one by one", reads, "per s", lambda: _read(client, reads))


def _searches(client: ImapClient, meter: Meter) -> Iterator[Row]:
    for keys in (
        b'TEXT "xyzzynotthere"',
        b'TEXT "harbour"',
        b'SUBJECT "number 77"',
        b'FROM "sender42@"',
        b"UNSEEN",
    ):
        words = b"SEARCH " + keys
        yield meter.time(words.decode(), lambda words=words: client.command(words))  # type: ignore[misc]


def _log_in(server: BenchServer, number: int) -> ImapClient:
    client = ImapClient(server.ports["imap"])
    client.login(address_of(number), password_of(number))
    return client


def _append(client: ImapClient, messages: list[bytes]) -> None:
    for message in messages:
        client.append(MAILBOX, message)


def _append_together(server: BenchServer, messages: list[bytes]) -> None:
    """Append over several connections of the same user at once."""
    clients = [_log_in(server, 1) for _ in range(APPENDERS)]
    with ThreadPoolExecutor(APPENDERS) as threads:
        tasks = [
            threads.submit(_append, client, messages[index::APPENDERS])
            for index, client in enumerate(clients)
        ]
        for task in tasks:
            task.result()
    for client in clients:
        client.close()


def _read(client: ImapClient, count: int) -> None:
    for number in range(1, count + 1):
        client.command(b"FETCH %d (FLAGS BODY.PEEK[])" % number)


def _store(client: ImapClient, count: int) -> None:
    for number in range(1, count + 1):
        client.command(b"STORE %d +FLAGS (\\Flagged)" % number)
