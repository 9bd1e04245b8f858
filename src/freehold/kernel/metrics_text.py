"""The metrics of all processes added up, in Prometheus's text format."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from freehold.kernel.metrics import COUNTER, HISTOGRAM, Series, read_values

Totals = dict[tuple[str, tuple[str, ...]], tuple[Series, list[float]]]


def render(segments: Sequence[memoryview]) -> bytes:
    """Return the text for a scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Merged(segments))
    return generate_latest(registry)


def add_up(segments: Sequence[memoryview]) -> Totals:
    """Return the sums over all segments by name and label values."""
    totals: Totals = {}
    for segment in segments:
        for series, values in read_values(segment):
            key = (series.name, series.label_values)
            if key in totals:
                sums = totals[key][1]
                for index, value in enumerate(values[: len(sums)]):
                    sums[index] += value
            else:
                totals[key] = (series, values)
    return totals


class _Merged(Collector):
    """Gives the library the sums as its own kind of families."""

    def __init__(self, segments: Sequence[memoryview]) -> None:
        self._segments = segments

    def collect(self) -> Iterable[Family]:
        """Return one family for each metric."""
        families: dict[str, Family] = {}
        for series, values in add_up(self._segments).values():
            _add(families, series, values)
        return families.values()


def _add(families: dict[str, Family], series: Series, values: list[float]) -> None:
    family = families.get(series.name)
    if family is None:
        family = families[series.name] = _family(series)
    match family:
        case HistogramMetricFamily():
            total = 0.0
            buckets: list[tuple[str, float]] = []
            for bound, amount in zip([*map(str, series.buckets), "+Inf"], values, strict=False):
                total += amount
                buckets.append((bound, total))
            family.add_metric(series.label_values, buckets, values[-1])
        case CounterMetricFamily() | GaugeMetricFamily():
            family.add_metric(series.label_values, values[0])


def _family(series: Series) -> Family:
    if series.kind == HISTOGRAM:
        return HistogramMetricFamily(series.name, series.help, labels=series.label_names)
    if series.kind == COUNTER:
        return CounterMetricFamily(series.name, series.help, labels=series.label_names)
    return GaugeMetricFamily(series.name, series.help, labels=series.label_names)
