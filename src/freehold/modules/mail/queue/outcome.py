"""What came of one attempt for one recipient."""

from dataclasses import dataclass
from enum import Enum, auto

MAX_DETAIL_CHARACTERS = 1000
"""Of a longer reply the beginning is kept."""


class Result(Enum):
    """How an attempt ended."""

    DELIVERED = auto()
    DEFERRED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recipient's result.

    `detail` is for people and logs (the peer's reply, say), one bounded line; `status` the enhanced
    code (RFC 3463); `remote` the peer's name, or '' when none was reached.
    """

    result: Result
    detail: str
    status: str
    remote: str = ""


def delivered(detail: str, remote: str = "") -> Outcome:
    """Return the outcome of a success."""
    return Outcome(Result.DELIVERED, _one_line(detail), "2.0.0", remote)


def deferred(detail: str, status: str = "4.0.0", remote: str = "") -> Outcome:
    """Return the outcome of a failure that may pass."""
    return Outcome(Result.DEFERRED, _one_line(detail), status, remote)


def failed(detail: str, status: str = "5.0.0", remote: str = "") -> Outcome:
    """Return the outcome of a failure that will not pass."""
    return Outcome(Result.FAILED, _one_line(detail), status, remote)


def _one_line(detail: str) -> str:
    """Return foreign text as every database and terminal takes it: no NUL, no control, bounded."""
    detail = detail[:MAX_DETAIL_CHARACTERS]
    if detail.isprintable():
        return detail
    return " ".join("".join(c if c.isprintable() else " " for c in detail).split())
