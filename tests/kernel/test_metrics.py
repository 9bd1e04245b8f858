"""Metrics in shared memory."""

from freehold.kernel.metrics import CELLS, MetricsMemory, Segment, Series, attach, counter, gauge, histogram
from freehold.kernel.metrics_text import add_up, render

RECEIVED = counter("test_received", "Received.", "listener")
WAITING = gauge("test_waiting", "Waiting.")
TOOK = histogram("test_took_seconds", "Took.", buckets=(0.1, 1.0))


def _value(memory: MetricsMemory, name: str, *labels: str) -> list[float]:
    return add_up(memory.segments)[name, labels][1]


def test_segments_are_added_up() -> None:
    memory = MetricsMemory(3)
    for segment in memory.segments:
        attach(segment)
        RECEIVED.labels("smtp").inc()
        WAITING.labels().set(2)
    assert _value(memory, "test_received", "smtp") == [3.0]
    assert _value(memory, "test_waiting") == [6.0]


def test_a_restarted_process_goes_on_counting_but_forgets_its_gauges() -> None:
    memory = MetricsMemory(1)
    attach(memory.segments[0])
    RECEIVED.labels("smtp").inc(5)
    WAITING.labels().set(7)
    attach(memory.segments[0])
    RECEIVED.labels("smtp").inc()
    assert _value(memory, "test_received", "smtp") == [6.0]
    assert _value(memory, "test_waiting") == [0.0]


def test_the_text_is_what_prometheus_reads() -> None:
    memory = MetricsMemory(1)
    attach(memory.segments[0])
    RECEIVED.labels('a"b').inc()
    for seconds in (0.05, 0.5, 5.0):
        TOOK.labels().observe(seconds)
    text = render(memory.segments).decode()
    assert 'test_received_total{listener="a\\"b"} 1.0\n' in text
    assert "# TYPE test_took_seconds histogram\n" in text
    assert 'test_took_seconds_bucket{le="0.1"} 1.0\n' in text
    assert 'test_took_seconds_bucket{le="1.0"} 2.0\n' in text
    assert 'test_took_seconds_bucket{le="+Inf"} 3.0\n' in text
    assert "test_took_seconds_sum 5.55\n" in text
    assert "test_took_seconds_count 3.0\n" in text


def test_a_full_segment_loses_new_series_and_keeps_the_old() -> None:
    memory = MetricsMemory(1)
    segment = Segment(memory.segments[0])
    places = [
        segment.place(Series("counter", "test_many", "Many.", ("n",), (str(number),), (), 0))
        for number in range(CELLS + 10)
    ]
    assert places[-1] == 0
    assert places[0] == 1
    assert len({place for place in places if place}) == len([place for place in places if place])


def test_the_same_name_is_the_same_metric() -> None:
    assert counter("test_received", "Received.", "listener") is RECEIVED
    assert RECEIVED.labels("smtp") is RECEIVED.labels("smtp")
