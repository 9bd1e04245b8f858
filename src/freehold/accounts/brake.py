"""Slows down guessing by one network at one login; bans over networks and logins are another's.

Each attempt after a few failures takes a later place in time, so that guessing over many connections at
once is no faster than over one. What would have to wait too long is refused, which is cheap.
"""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from freehold.accounts.errors import LoginsBusyError

FREE_FAILURES = 3
"""Failures before anything slows down: a person mistypes."""
MAX_DELAY_MS = 30_000
"""The longest time between two attempts."""
MAX_WAIT_MS = 10_000
"""An attempt that would wait longer is refused as a temporary failure."""
FORGET_MS = 15 * 60 * 1000
"""A pair is forgotten after this long without a failure."""
MAX_PAIRS = 20_000
"""Pairs of network and login that are remembered; the ones longest quiet go first."""
IPV6_NETWORK_BITS = 64
"""A host has a /64 to itself (RFC 4291 §2.5.4); an IPv4 address counts alone."""


@dataclass(slots=True)
class _Guesses:
    failures: int
    last_ms: int
    next_ms: int


class GuessBrake:
    """Remembers failures of one process; for use on one event loop."""

    __slots__ = ("_guesses", "_max_pairs")

    def __init__(self, *, max_pairs: int = MAX_PAIRS) -> None:
        self._guesses: OrderedDict[tuple[int, str], _Guesses] = OrderedDict()
        self._max_pairs = max_pairs

    def __len__(self) -> int:
        return len(self._guesses)

    def reserve(self, client: IPv4Address | IPv6Address, login: str, *, now_ms: int) -> int:
        """Take the next place for an attempt; returns how many milliseconds to wait for it.

        Raises:
            LoginsBusyError: the place would be too far off.
        """
        key = (_network(client), login)
        guesses = self._guesses.get(key)
        if guesses is None or guesses.failures < FREE_FAILURES:
            return 0
        if now_ms - guesses.last_ms > FORGET_MS:
            del self._guesses[key]
            return 0
        start_ms = max(now_ms, guesses.next_ms)
        if start_ms - now_ms > MAX_WAIT_MS:
            raise LoginsBusyError
        guesses.next_ms = start_ms + _delay_ms(guesses.failures)
        return start_ms - now_ms

    def failed(self, client: IPv4Address | IPv6Address, login: str, *, now_ms: int) -> None:
        """Count a failure."""
        key = (_network(client), login)
        guesses = self._guesses.get(key)
        if guesses is None:
            self._guesses[key] = _Guesses(1, now_ms, now_ms)
            if len(self._guesses) > self._max_pairs:
                self._guesses.popitem(last=False)
            return
        self._guesses.move_to_end(key)
        guesses.failures = 1 if now_ms - guesses.last_ms > FORGET_MS else guesses.failures + 1
        guesses.last_ms = now_ms
        if guesses.failures >= FREE_FAILURES:
            guesses.next_ms = max(guesses.next_ms, now_ms + _delay_ms(guesses.failures))

    def succeeded(self, client: IPv4Address | IPv6Address, login: str) -> None:
        """Forget the failures of a network that has shown that it knows the password."""
        self._guesses.pop((_network(client), login), None)


def _delay_ms(failures: int) -> int:
    """Return 1, 2, 4, … seconds from the last free failure on."""
    doublings = min(failures - FREE_FAILURES, MAX_DELAY_MS.bit_length())
    return min(1000 << doublings, MAX_DELAY_MS)


def _network(client: IPv4Address | IPv6Address) -> int:
    """Return a client's network as a number; IPv4 networks are below 2**32."""
    if isinstance(client, IPv4Address):
        return int(client)
    if client.ipv4_mapped is not None:
        return int(client.ipv4_mapped)
    return 1 << IPV6_NETWORK_BITS | int(client) >> (128 - IPV6_NETWORK_BITS)
