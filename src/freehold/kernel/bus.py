"""Events within a process and between the processes of one host.

News may be lost (a process that restarts misses what was said meanwhile); correctness never rests
on it: what must survive is a row.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of every event: small, immutable, named by its class."""


class NewsMissed(Event, frozen=True, tag=True):
    """News of other processes or hosts may have been lost: whoever waits for some looks for itself.

    Told in a process or a host after its way to the others was interrupted.
    """


KERNEL_EVENTS: Final = (NewsMissed,)
"""Events that no module declares."""

E = TypeVar("E", bound=Event)


class Bus(Protocol):
    """Publishes events to this process and to the others."""

    def publish(self, event: Event) -> None:
        """Tell every subscriber: here soon on the loop, elsewhere over the local socket."""

    def subscribe(self, kind: type[E], callback: Callable[[E], None]) -> Callable[[], None]:
        """Have `callback` called on the loop for each event of `kind`; returns how to unsubscribe."""
