"""Reading beside Dovecot, where imapbench.py does not: caches cold, SORT, THREAD, 100,000 messages.

The folder of `imapbench.py` must be there. Rows are added to its file, in its form.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.imap_client import CommandFailedError, ImapClient
from benchmarks.peers_report import ImapRow
from benchmarks.peers_setup import DROP_CACHES, Bench
from benchmarks.server import BenchServer, address_of

FOLDER: Final = b"Bench10k"
"""The folder that imapbench.py fills."""
LARGE_FOLDER: Final = b"Large"
LARGE_MESSAGES: Final = 100_000
REPEATS: Final = 5
UNINDEXED: Final = "%s, without index"
SEARCHES: Final = (
    b'SEARCH TEXT "xyzzynotthere"',
    b'SEARCH SUBJECT "number 777"',
    b"SORT (SUBJECT) UTF-8 2:*",
    b"THREAD REFERENCES UTF-8 2:*",
)
"""What is asked while nothing is indexed; not of all messages, whose order is remembered."""
COLD_ENVELOPE: Final = "fetch ENVELOPE, caches cold"
SELECT_LARGE: Final = "select 100,000, warm"
AGAIN: Final = "%s, again"
FIRST: Final = "%s, first"
ORDERINGS: Final = (
    b"SORT (SUBJECT) UTF-8 ALL",
    b"SORT (DATE) UTF-8 ALL",
    b"SORT (REVERSE DATE) UTF-8 ALL",
    b"SORT (ARRIVAL) UTF-8 ALL",
    b"SORT (FROM SUBJECT) UTF-8 ALL",
    b"THREAD REFERENCES UTF-8 ALL",
    b"THREAD REFS UTF-8 ALL",
    b"THREAD ORDEREDSUBJECT UTF-8 ALL",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Users at one of the servers; `password` is the format of theirs, `group` the control group's name."""

    name: str
    port: int
    password: str
    bench: Bench
    group: str = ""

    def password_of(self, number: int) -> str:
        """Return a user's password."""
        return self.password % number

    def log_in(self, folder: bytes = b"") -> ImapClient:
        """Connect and log in as the first user, and perhaps open a folder."""
        client = ImapClient(self.port)
        client.login(address_of(1), self.password_of(1))
        if folder:
            client.command(b"SELECT " + folder)
        return client

    def time(self, test: str, action: Callable[[], object], out: Path) -> None:
        """Add a row with the milliseconds that an action takes."""
        cpu, began = self.bench.cpu_seconds(self.name), time.perf_counter()
        action()
        milliseconds = (time.perf_counter() - began) * 1000
        cpu_seconds = self.bench.cpu_seconds(self.name) - cpu
        row = ImapRow(self.name, test, "ms", milliseconds, cpu_seconds)
        with out.open("ab") as lines:
            lines.write(msgspec.json.encode(row) + b"\n")


def measure_reading(dovecot: Reader, freehold: Reader, server: BenchServer, messages: int, out: Path) -> None:
    """Measure both servers in turn; Freehold is started anew, Dovecot loses its index, both their caches."""
    for reader in (dovecot, freehold):
        _fill_large_folder(reader, messages)
    server.wait_until_indexed()
    _read_cold(dovecot, out, lambda: _remove_index(dovecot.bench))
    _read_cold(freehold, out, lambda: _restart_cold(server))
    for reader in (dovecot, freehold):
        _put_in_order(reader, out)
        _open_large_folder(reader, out)
    _search_unindexed(freehold, server, out)


def _fill_large_folder(reader: Reader, messages: int) -> None:
    client = reader.log_in(FOLDER)
    try:
        client.command(b"CREATE " + LARGE_FOLDER)
    except CommandFailedError:  # filled in an earlier round
        client.close()
        return
    for _ in range(LARGE_MESSAGES // messages):
        client.command(b"COPY 1:%d %b" % (messages, LARGE_FOLDER))
    client.close()


def _read_cold(reader: Reader, out: Path, make_cold: Callable[[], None]) -> None:
    make_cold()
    client = reader.log_in(FOLDER)
    reader.time(COLD_ENVELOPE, lambda: client.command(b"FETCH 1:* ENVELOPE"), out)
    client.close()


def _remove_index(bench: Bench) -> None:
    for path in (bench.peers / "dovecot" / "mail" / "user1").rglob("dovecot.index*"):
        path.unlink()
    _drop_caches()


def _restart_cold(server: BenchServer) -> None:
    """Start Freehold anew, with nothing of its files in memory."""
    server.stop()
    _drop_caches()
    server.start()


def _drop_caches() -> None:
    os.sync()
    DROP_CACHES.write_text("3")


def _put_in_order(reader: Reader, out: Path) -> None:
    client = reader.log_in(FOLDER)
    for words in ORDERINGS:
        for number in range(REPEATS + 1):
            label = (AGAIN if number else FIRST) % words.decode()
            reader.time(label, lambda words=words: client.command(words), out)  # type: ignore[misc]
    client.close()


def _open_large_folder(reader: Reader, out: Path) -> None:
    for number in range(2 * REPEATS):
        client = reader.log_in()
        if number < REPEATS:  # each worker has seen it
            client.command(b"SELECT " + LARGE_FOLDER)
        else:
            reader.time(SELECT_LARGE, lambda client=client: client.command(b"SELECT " + LARGE_FOLDER), out)  # type: ignore[misc]
        client.close()


def _search_unindexed(reader: Reader, server: BenchServer, out: Path) -> None:
    """Throw the index away, and search before it is made anew; the next round waits for it."""
    server.run("search", "rebuild", "--mailbox", address_of(1))
    client = reader.log_in(FOLDER)
    for words in SEARCHES:
        label = UNINDEXED % words.decode()
        reader.time(label, lambda words=words: client.command(words), out)  # type: ignore[misc]
    client.close()
