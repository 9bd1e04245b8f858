"""What the load generators of the comparison wrote, as medians and ratios."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from benchmarks.report import Cell, Table

OURS: Final = "freehold"
SMTP_PEERS: Final = ("postfix-lmtp", "postfix-virtual")
READING_PEER: Final = "dovecot"
ABSENT: Final = "-"

T = TypeVar("T")


class SmtpRow(msgspec.Struct, frozen=True):
    """A line of smtpbench.py; CPU in seconds for 1,000 messages."""

    name: str
    size: int
    conc: int
    delivered_per_s: float
    cpu_s_per_1000: float
    errors: int
    foreign_cpu_frac: float
    verified: bool | None = None


class ImapRow(msgspec.Struct, frozen=True):
    """A line of imapbench.py."""

    name: str
    test: str
    unit: str
    value: float
    server_cpu_s: float = 0.0


def smtp_table(path: Path) -> Table:
    """Return delivery rates and CPU, and how they relate: rates above 1 and CPU below 1 are good."""
    rows = list(read_lines(path, SmtpRow))
    names = (OURS, *SMTP_PEERS)
    columns = ["size, connections"]
    columns += [f"{name} /s" for name in names] + [f"/s ÷ {peer}" for peer in SMTP_PEERS]
    columns += [f"{name} CPU-s" for name in names] + [f"CPU-s ÷ {peer}" for peer in SMTP_PEERS]
    columns += ["errors", "verified", "foreign CPU"]
    cases = dict.fromkeys((row.size, row.conc) for row in rows)
    table = [
        _smtp_line(size, connections, [row for row in rows if (row.size, row.conc) == (size, connections)])
        for size, connections in cases
    ]
    return Table("peers: delivery", "delivered per second, CPU-s per 1,000 messages; medians", columns, table)


def _smtp_line(size: int, connections: int, rows: Sequence[SmtpRow]) -> Sequence[Cell]:
    names = (OURS, *SMTP_PEERS)
    rates = [median([row.delivered_per_s for row in rows if row.name == name]) for name in names]
    cpu = [median([row.cpu_s_per_1000 for row in rows if row.name == name]) for name in names]
    return (
        f"{size:,} B, {connections}",
        *map(_shown, rates),
        *(_ratio(rates[0], other) for other in rates[1:]),
        *map(_shown, cpu),
        *(_ratio(cpu[0], other) for other in cpu[1:]),
        sum(row.errors for row in rows),
        "no" if any(row.verified is False for row in rows) else "yes",
        max(row.foreign_cpu_frac for row in rows),
    )


def imap_table(path: Path) -> Table:
    """Return reading beside Dovecot; whether a ratio above 1 is good depends on the unit."""
    rows = list(read_lines(path, ImapRow))
    table = []
    for test, unit in dict.fromkeys((row.test, row.unit) for row in rows):
        of_test = [row for row in rows if (row.test, row.unit) == (test, unit)]
        ours = [row for row in of_test if row.name == OURS]
        theirs = [row for row in of_test if row.name == READING_PEER]
        values = median([row.value for row in ours]), median([row.value for row in theirs])
        table.append(
            (
                test,
                unit,
                *map(_shown, values),
                _ratio(*values),
                _shown(median([row.server_cpu_s for row in ours])),
                _shown(median([row.server_cpu_s for row in theirs])),
            )
        )
    columns = ("test", "unit", OURS, READING_PEER, "ratio", f"{OURS} CPU-s", f"{READING_PEER} CPU-s")
    return Table("peers: reading", "medians", columns, table)


def read_lines(path: Path, kind: type[T]) -> Iterator[T]:
    """Yield the rows of a file of JSON lines."""
    for line in path.read_bytes().splitlines():
        yield msgspec.json.decode(line, type=kind)


def median(values: Sequence[float]) -> float | None:
    """Return the median, or None without values."""
    return statistics.median(values) if values else None


def _ratio(ours: float | None, theirs: float | None) -> Cell:
    return ours / theirs if ours is not None and theirs else ABSENT


def _shown(value: float | None) -> Cell:
    return ABSENT if value is None else float(value)
