"""Copies what the listeners of a process have counted into its metrics."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from freehold.kernel.listener import Listener
from freehold.kernel.metrics import Cell, counter, gauge

COPY_SECONDS: Final = 2.0
"""How far the metrics may lag behind."""

_OPEN: Final = gauge("freehold_connections_open", "Connections that are open now.", "listener")
_COUNTERS: Final = {
    "accepted": "Connections taken.",
    "refused": "Connections turned away by a limit.",
    "failed_handshakes": "TLS handshakes that failed.",
    "failed_proxy_headers": "Connections whose PROXY header was refused.",
    "timed_out": "Connections closed because the peer was silent or took nothing.",
    "crashed": "Sessions ended by a fault of this program.",
}
_METRICS: Final = {
    name: counter(f"freehold_connections_{name}", text, "listener") for name, text in _COUNTERS.items()
}


class ListenerMetrics:
    """Adds to the metrics by how much each count has changed, so that a restarted worker goes on."""

    __slots__ = ("_before", "_listeners")

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners
        self._before: dict[tuple[int, str], int] = {}

    async def keep_current(self) -> None:
        """Copy every two seconds, until cancelled; the last time then."""
        try:
            while True:
                self.copy()
                await asyncio.sleep(COPY_SECONDS)
        finally:
            self.copy()

    def copy(self) -> None:
        """Copy now."""
        for number, listener in enumerate(self._listeners):
            for name, cell, count in _counts(listener):
                cell.inc(count - self._before.get((number, name), 0))
                self._before[number, name] = count


def _counts(listener: Listener) -> Iterator[tuple[str, Cell, int]]:
    label = listener.service.name
    yield "open", _OPEN.labels(label), listener.open_connections
    for name, metric in _METRICS.items():
        yield name, metric.labels(label), getattr(listener.counts, name)
