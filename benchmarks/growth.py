"""Whether receiving mail becomes slower as more of it is stored."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from benchmarks.options import Options
from benchmarks.report import Table
from benchmarks.server import BenchServer, running_server
from benchmarks.smtp_load import KIB, USERS, Case, Generators, generators, load_for

FIRST_STORED: Final = 1_000
DEFAULT_STORED: Final = 20_000
MEASURED: Final = 2_000
FILLING: Final = Case("4 KiB, 20, many", 4 * KIB, 20, 1, 1_000)
MEASURING: Final = Case("4 KiB, 20, 1", 4 * KIB, 20, 1)
COLUMNS: Final = ("messages stored", "messages/s", "CPU-s per 1,000", "of the first rate")


def run(options: Options) -> Iterator[Table]:
    """Measure the same load at 1,000 stored messages and at `--messages`."""
    last = max(options.messages or DEFAULT_STORED, FIRST_STORED + 1)
    rows: list[tuple[int, float, float, float]] = []
    folder = options.folder / "growth"
    with (
        running_server(folder, workers=options.workers, database=options.database, users=USERS) as server,
        generators() as generator,
    ):
        for wanted in (FIRST_STORED, last):
            stored = _fill(server, generator, wanted)
            rate = generator.measure(server, load_for(server, MEASURING, min(MEASURED, last)))
            first = rows[0][1] if rows else rate.per_second
            rows.append((stored, rate.per_second, rate.cpu_per_thousand, rate.per_second / first))
    yield Table("growth", "4 KiB, 20 connections, one message each, by mail stored", COLUMNS, rows)


def _fill(server: BenchServer, generator: Generators, wanted: int) -> int:
    """Fill the mailboxes up to `wanted` messages, if they hold fewer; returns how many they hold."""
    stored = server.stored_messages()
    if stored < wanted:
        load = load_for(server, FILLING, wanted - stored)
        stored += generator.measure(server, replace(load, messages=wanted - stored)).sent.accepted
    return stored
