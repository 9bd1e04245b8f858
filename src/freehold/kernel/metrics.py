"""Counters, gauges and histograms that cost a fraction of a microsecond and survive a worker's restart.

Each process writes plain numbers into its own segment of memory that all processes of the server share;
whoever is asked for the metrics reads all segments and adds up. A segment belongs to a worker's place, not to
its process: a restarted worker goes on counting where its predecessor stopped. Nothing is left on disk.

    received = counter("freehold_mail_received", "Messages accepted.", "listener")
    received.labels("smtp").inc()

Keep the result of `labels` where the path is hot.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

import msgspec

HEADER_BYTES: Final = 96 * 1024
"""Room for the names of a segment's series."""

CELLS: Final = 4096
SEGMENT_BYTES: Final = HEADER_BYTES + CELLS * 8
LENGTH_BYTES: Final = 4
SECONDS_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)

COUNTER: Final = "counter"
GAUGE: Final = "gauge"
HISTOGRAM: Final = "histogram"


class Series(msgspec.Struct, frozen=True, array_like=True):
    """One line of numbers: a metric with values for all its labels, and where its cells begin."""

    kind: str
    name: str
    help: str
    label_names: tuple[str, ...]
    label_values: tuple[str, ...]
    buckets: tuple[float, ...]
    cell: int

    @property
    def width(self) -> int:
        """How many cells it takes: a histogram one for each bucket, one above, and the sum."""
        return len(self.buckets) + 2 if self.kind == HISTOGRAM else 1


class Segment:
    """One process's numbers: appended names in front, cells behind.

    Only its own process writes it. A name is complete before the length that counts it is written, so a
    reader in another process never sees half of one.
    """

    __slots__ = ("_memory", "_names_end", "_next_cell", "_places", "cells")

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self.cells = memory[HEADER_BYTES:SEGMENT_BYTES].cast("d")
        self._names_end = LENGTH_BYTES
        self._next_cell = 1
        self._places: dict[tuple[str, tuple[str, ...]], int] = {}
        for series in read_series(memory):
            self._places[series.name, series.label_values] = series.cell
            self._next_cell = series.cell + series.width
            if series.kind == GAUGE:  # what a gauge measured has died with its process
                self.cells[series.cell] = 0.0
        self._names_end = LENGTH_BYTES + int.from_bytes(memory[:LENGTH_BYTES], "little")

    def place(self, series: Series) -> int:
        """Return the first cell of a series; 0, which nobody reads, when the segment is full."""
        known = self._places.get((series.name, series.label_values))
        if known is not None:
            return known
        series = msgspec.structs.replace(series, cell=self._next_cell)
        entry = msgspec.msgpack.encode(series)
        entry = len(entry).to_bytes(LENGTH_BYTES, "little") + entry
        end = self._names_end + len(entry)
        if end > HEADER_BYTES or self._next_cell + series.width > CELLS:
            return 0
        self._memory[self._names_end : end] = entry
        self._memory[:LENGTH_BYTES] = (end - LENGTH_BYTES).to_bytes(LENGTH_BYTES, "little")
        self._names_end = end
        self._next_cell += series.width
        self._places[series.name, series.label_values] = series.cell
        return series.cell


class Cell:
    """One series of this process. `inc`, `set` and `observe` are for the kind that has them."""

    __slots__ = ("_cells", "_index", "_series", "_top")

    def __init__(self, series: Series) -> None:
        self._series = series
        self._top = len(series.buckets) + 1
        self.move(_own.segment)

    def move(self, segment: Segment) -> None:
        """Go on in another segment."""
        self._cells = segment.cells
        self._index = segment.place(self._series)

    def inc(self, amount: float = 1.0) -> None:
        """Add to a counter or gauge."""
        self._cells[self._index] += amount

    def dec(self, amount: float = 1.0) -> None:
        """Take from a gauge."""
        self._cells[self._index] -= amount

    def set(self, value: float) -> None:
        """Set a gauge (or a counter that is kept elsewhere and only grows)."""
        self._cells[self._index] = value

    def observe(self, value: float) -> None:
        """Count a value in a histogram."""
        index = self._index
        if index:
            self._cells[index + bisect_left(self._series.buckets, value)] += 1.0
            self._cells[index + self._top] += value

    @property
    def value(self) -> float:
        """What this process has counted."""
        return self._cells[self._index]


class Metric:
    """A named metric; without label names it is used as `metric.labels()`."""

    __slots__ = ("_cells", "_series")

    def __init__(self, series: Series) -> None:
        self._series = series
        self._cells: dict[tuple[str, ...], Cell] = {}

    def labels(self, *values: str) -> Cell:
        """Return the series of these label values, in the order of the label names.

        Label values come from the program, never from a peer: their number must be small.
        """
        cell = self._cells.get(values)
        if cell is None:
            if len(values) != len(self._series.label_names):
                raise ValueError(f"{self._series.name} takes the labels {self._series.label_names}")
            cell = self._cells[values] = Cell(msgspec.structs.replace(self._series, label_values=values))
        return cell

    def move(self, segment: Segment) -> None:
        """Go on in another segment with every series."""
        for cell in self._cells.values():
            cell.move(segment)


class MetricsMemory:
    """The memory of all segments; made before the first fork."""

    __slots__ = ("_memory", "segments")

    def __init__(self, segments: int) -> None:
        self._memory = mmap.mmap(-1, segments * SEGMENT_BYTES)
        view = memoryview(self._memory)
        self.segments = [
            view[start : start + SEGMENT_BYTES] for start in range(0, segments * SEGMENT_BYTES, SEGMENT_BYTES)
        ]


class _Own:
    """What this process writes to: private memory until `attach`."""

    __slots__ = ("metrics", "segment")

    def __init__(self) -> None:
        self.metrics: dict[str, Metric] = {}
        self.segment = Segment(memoryview(bytearray(SEGMENT_BYTES)))


def counter(name: str, help_text: str, *label_names: str) -> Metric:
    """Return the counter of that name, made on first use; `_total` is added to its name when shown."""
    return _metric(COUNTER, name, help_text, label_names, ())


def gauge(name: str, help_text: str, *label_names: str) -> Metric:
    """Return the gauge of that name, made on first use; processes' values are added up."""
    return _metric(GAUGE, name, help_text, label_names, ())


def histogram(
    name: str, help_text: str, *label_names: str, buckets: tuple[float, ...] = SECONDS_BUCKETS
) -> Metric:
    """Return the histogram of that name, made on first use."""
    return _metric(HISTOGRAM, name, help_text, label_names, buckets)


def attach(memory: memoryview) -> None:
    """Have this process write to a segment of the shared memory from now on."""
    _own.segment = Segment(memory)
    for metric in _own.metrics.values():
        metric.move(_own.segment)


def read_series(memory: memoryview) -> Iterator[Series]:
    """Yield the series of a segment."""
    end = LENGTH_BYTES + int.from_bytes(memory[:LENGTH_BYTES], "little")
    start = LENGTH_BYTES
    while start < end:
        size = int.from_bytes(memory[start : start + LENGTH_BYTES], "little")
        start += LENGTH_BYTES
        yield msgspec.msgpack.decode(memory[start : start + size], type=Series)
        start += size


def read_values(memory: memoryview) -> Iterator[tuple[Series, list[float]]]:
    """Yield the series of a segment with their numbers."""
    cells = memory[HEADER_BYTES:SEGMENT_BYTES].cast("d")
    for series in read_series(memory):
        yield series, list(map(float, cells[series.cell : series.cell + series.width]))


def _metric(
    kind: str, name: str, help_text: str, label_names: tuple[str, ...], buckets: tuple[float, ...]
) -> Metric:
    metric = _own.metrics.get(name)
    if metric is None:
        series = Series(kind, name, help_text, label_names, (), buckets, 0)
        metric = _own.metrics[name] = Metric(series)
    return metric


_own = _Own()
