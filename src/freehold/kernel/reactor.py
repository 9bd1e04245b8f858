"""Readiness callbacks without asyncio: what the supervisor runs on.

The supervisor forks for as long as it lives, so it has no event loop, no threads and nothing that a child
would have to take apart; a selector and a few timers are all it needs. An asyncio loop offers the same four
methods, so what is written for a `Watcher` runs in either.
"""

import heapq
import selectors
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol


class Watcher(Protocol):
    """Calls back when a descriptor can be read or written; asyncio's loops fit."""

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> object:
        """Call `callback` whenever there is something to read."""

    def remove_reader(self, fd: int, /) -> object:
        """Stop that."""

    def add_writer(self, fd: int, callback: Callable[[], object], /) -> object:
        """Call `callback` whenever there is room to write."""

    def remove_writer(self, fd: int, /) -> object:
        """Stop that."""


class Reactor:
    """A selector with timers, for one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._readers: dict[int, Callable[[], object]] = {}
        self._writers: dict[int, Callable[[], object]] = {}
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()

    def add_reader(self, fd: int, callback: Callable[[], object], /) -> None:
        """Call `callback` whenever there is something to read."""
        self._readers[fd] = callback
        self._update(fd)

    def remove_reader(self, fd: int, /) -> None:
        """Stop that."""
        if self._readers.pop(fd, None) is not None:
            self._update(fd)

    def add_writer(self, fd: int, callback: Callable[[], object], /) -> None:
        """Call `callback` whenever there is room to write."""
        self._writers[fd] = callback
        self._update(fd)

    def remove_writer(self, fd: int, /) -> None:
        """Stop that."""
        if self._writers.pop(fd, None) is not None:
            self._update(fd)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call once after the time; timers are not taken back, callbacks look if they still matter."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), callback))

    def run_once(self) -> None:
        """Wait for the next readiness or timer, and call what is due."""
        patience = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        for key, mask in self._selector.select(patience):
            if mask & selectors.EVENT_READ and (reader := self._readers.get(key.fd)):
                reader()
            if mask & selectors.EVENT_WRITE and (writer := self._writers.get(key.fd)):
                writer()
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2]()

    def close(self) -> None:
        """Release the selector's own descriptor; a forked child does this first."""
        self._selector.close()

    def _update(self, fd: int) -> None:
        mask = (selectors.EVENT_READ if fd in self._readers else 0) | (
            selectors.EVENT_WRITE if fd in self._writers else 0
        )
        known = fd in self._selector.get_map()
        if not mask:
            self._selector.unregister(fd)
        elif known:
            self._selector.modify(fd, mask)
        else:
            self._selector.register(fd, mask)
