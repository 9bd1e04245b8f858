"""What reading is to reach beside Dovecot, and whether it does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from benchmarks.memory import Row as MemoryRow
from benchmarks.peers_reading import AGAIN, COLD_ENVELOPE, ORDERINGS, SELECT_LARGE
from benchmarks.peers_report import OURS, READING_PEER, ImapRow, median, read_lines
from benchmarks.report import Cell, Table


class Sense(Enum):
    """How a goal is meant."""

    TIMES_AT_MOST = "at most {} × Dovecot's"
    TIMES_AT_LEAST = "at least {} × Dovecot's"
    AT_LEAST = "at least {}"
    AT_MOST = "at most {}"

    def is_met(self, ours: float, theirs: float, bound: float) -> bool:
        """Tell whether a goal is reached."""
        match self:
            case Sense.TIMES_AT_MOST:
                return ours <= bound * theirs
            case Sense.TIMES_AT_LEAST:
                return ours >= bound * theirs
            case Sense.AT_LEAST:
                return ours >= bound
            case Sense.AT_MOST:
                return ours <= bound


@dataclass(frozen=True, slots=True)
class Goal:
    """A test of imapbench.py or `peers_reading.py`, and its bound."""

    test: str
    sense: Sense
    bound: float


MOST, LEAST = Sense.TIMES_AT_MOST, Sense.TIMES_AT_LEAST
PLAIN_KIB, TLS_KIB = 8, 32
"""Memory for each idle connection."""
GOALS: Final = (
    Goal("fetch 10k ENVELOPE warm", MOST, 0.4),
    Goal("fetch 10k listview 2nd", MOST, 0.5),
    Goal(COLD_ENVELOPE, MOST, 0.2),
    Goal("search TEXT 10k (no hit)", MOST, 0.05),
    Goal("search TEXT 10k (many hits)", MOST, 0.05),
    Goal("search SUBJECT 10k", MOST, 1.0),
    *(Goal(AGAIN % words.decode(), MOST, 1.0) for words in ORDERINGS),
    Goal("fetch 10k FLAGS", MOST, 2.0),
    Goal("fetch BODY[] 1000x4k", Sense.AT_LEAST, 100),
    Goal("fetch BODY[] 50x1MiB", LEAST, 0.7),
    Goal("append 4k c1", LEAST, 1.5),
    Goal("append 4k c10", LEAST, 1.5),
    Goal("store single flag c1", LEAST, 1.5),
    Goal("login+logout c1", LEAST, 1.0),
    Goal("login+logout c10", LEAST, 1.0),
    Goal(SELECT_LARGE, MOST, 3.0),
)
COLUMNS: Final = ("goal", "unit", OURS, READING_PEER, "ratio", "ratio of CPU", "wanted", "reached")


def goals_table(path: Path, memory: Iterable[MemoryRow]) -> Table:
    """Return the goals with the medians of what was measured, and with the memory of idle connections."""
    rows = list(read_lines(path, ImapRow))
    table = [_line(goal, [row for row in rows if row.test == goal.test]) for goal in GOALS]
    table += [_memory_line(row) for row in memory if row.each_kib]
    return Table("peers: goals of reading", "medians; the ratio is Freehold's of Dovecot's", COLUMNS, table)


def _line(goal: Goal, rows: Sequence[ImapRow]) -> Sequence[Cell]:
    wanted = goal.sense.value.format(goal.bound)
    ours = [row for row in rows if row.name == OURS]
    theirs = [row for row in rows if row.name == READING_PEER]
    if not ours or not theirs:
        return (goal.test, "-", "-", "-", "-", "-", wanted, "not measured")
    values = median([row.value for row in ours]) or 0.0, median([row.value for row in theirs]) or 0.0
    cpu = [median([row.server_cpu_s for row in each]) or 0.0 for each in (ours, theirs)]
    reached = "yes" if goal.sense.is_met(*values, goal.bound) else "NO"
    ratios = (top / below if below else "-" for top, below in (values, cpu))
    return (goal.test, ours[0].unit, *values, *ratios, wanted, reached)


def _memory_line(row: MemoryRow) -> Sequence[Cell]:
    bound = PLAIN_KIB if row.state.startswith("plain") else TLS_KIB
    wanted = Sense.AT_MOST.value.format(bound)
    reached = "yes" if row.each_kib <= bound else "NO"
    return (f"idle, {row.state}", "KiB", row.each_kib, "-", "-", "-", wanted, reached)
