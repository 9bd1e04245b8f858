"""What came of one attempt for one recipient."""

from dataclasses import dataclass
from enum import Enum, auto


class Result(Enum):
    """How an attempt ended."""

    DELIVERED = auto()
    DEFERRED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recipient's result.

    `detail` is for people and logs (the peer's reply, say); `status` the enhanced code
    (RFC 3463); `remote` the peer's name, or '' when none was reached.
    """

    result: Result
    detail: str
    status: str
    remote: str = ""


def delivered(detail: str, remote: str = "") -> Outcome:
    """Return the outcome of a success."""
    return Outcome(Result.DELIVERED, detail, "2.0.0", remote)


def deferred(detail: str, status: str = "4.0.0", remote: str = "") -> Outcome:
    """Return the outcome of a failure that may pass."""
    return Outcome(Result.DEFERRED, detail, status, remote)


def failed(detail: str, status: str = "5.0.0", remote: str = "") -> Outcome:
    """Return the outcome of a failure that will not pass."""
    return Outcome(Result.FAILED, detail, status, remote)
