"""Answers of the DNS, kept for as long as they may be and no more of them than set."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from freehold.kernel.resolver import MxHost


class RecordKind(Enum):
    """The kinds of records that are asked for."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"


@dataclass(frozen=True, slots=True)
class DnsQuestion:
    """A lower-case name without final dot, and what is wanted of it."""

    name: str
    kind: RecordKind


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What a name server said. A name can exist without records of the kind; then all are empty."""

    exists: bool
    addresses: tuple[IPv4Address | IPv6Address, ...] = ()
    mx_hosts: tuple[MxHost, ...] = ()
    ttl_seconds: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there are no records."""
        return not self.addresses and not self.mx_hosts


class DnsCache:
    """Keeps answers until they expire; when full, the one kept longest makes room.

    Times are seconds of one steady clock, given by the caller.
    """

    __slots__ = ("_answers", "_max_answers", "_max_negative_seconds", "_max_seconds")

    def __init__(self, max_answers: int, max_seconds: float, max_negative_seconds: float) -> None:
        self._max_answers = max_answers
        self._max_seconds = max_seconds
        self._max_negative_seconds = max_negative_seconds
        self._answers: dict[DnsQuestion, tuple[float, DnsAnswer]] = {}

    def get(self, question: DnsQuestion, now: float) -> DnsAnswer | None:
        """Return the answer if it is known and has not expired."""
        kept = self._answers.get(question)
        if kept is None:
            return None
        expires, answer = kept
        if expires <= now:
            del self._answers[question]
            return None
        return answer

    def put(self, question: DnsQuestion, answer: DnsAnswer, now: float) -> None:
        """Keep the answer for its TTL, within the bounds for answers with and without records."""
        bound = self._max_negative_seconds if answer.is_empty else self._max_seconds
        self._answers.pop(question, None)
        while self._answers and len(self._answers) >= self._max_answers:
            del self._answers[next(iter(self._answers))]
        self._answers[question] = (now + min(answer.ttl_seconds, bound), answer)
