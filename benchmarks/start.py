"""How long it takes from the first start, in an empty folder, to the first mail accepted."""

import time
from collections.abc import Iterator
from typing import Final

from benchmarks.database import fresh_database
from benchmarks.options import Options
from benchmarks.report import Table
from benchmarks.server import DOMAIN, BenchServer, address_of, password_of
from benchmarks.smtp_client import Load, send
from tests.scenarios.server import ServerFailedError

COLUMNS: Final = ("what", "seconds since the first start")


def run(options: Options) -> Iterator[Table]:
    """Start, add an owner, a domain and a mailbox by command, deliver; then stop and start again."""
    rows = []
    with fresh_database(options.database) as url:
        server = BenchServer(options.folder / "start", database=url, workers=options.workers)
        began = time.perf_counter()

        def note(what: str) -> None:
            rows.append((what, time.perf_counter() - began))

        try:
            server.start()
            note("all ports open")
            server.run("owner", "add", "bench", "--administrator")
            server.run("domain", "add", DOMAIN)
            server.run("mailbox", "add", address_of(1), "--password-stdin", stdin=password_of(1) + "\n")
            note("owner, domain and mailbox added by command")
            _deliver_one(server)
            note("first mail accepted")
            server.stop()
            began = time.perf_counter()
            server.start()
            _deliver_one(server)
            note("second start to mail accepted, alone")
        finally:
            server.end()
    yield Table("start", "from an empty folder to the first mail", COLUMNS, rows)


def _deliver_one(server: BenchServer) -> None:
    sent = send(Load(server.ports["smtp"], 1, 1, 4096, (address_of(1),)))
    if sent.accepted != 1:
        raise ServerFailedError(f"the first mail was not accepted: {sent.failures}")
