r"""The queue as a table of legal on-disk states.

A recipient is one row of `queue_recipient`; its message one row of `queue_message` and one reference
on a blob. Each transition is one transaction, so after a crash every row is in exactly one state:

| state | `state` | `lease_ms` | meaning | leaves by |
|---|---|---|---|---|
| waiting | ready | 0 | to be tried at `due_ms` | claim, hold, remove |
| leased | ready | > now | one lane is delivering it | settle, crash |
| lapsed | ready | ≤ now, not 0 | its lane died; waits again | claim, hold, remove |
| held | held | any | not tried until released | release, remove |
| gone | no row | | delivered, reported or removed; recorded in the trace | |

| transition | from → to | in the same transaction |
|---|---|---|
| enqueue | → waiting | blob, message row, recipients, trace; the client's 250 comes after it |
| claim | waiting, lapsed → leased | |
| settle: delivered | leased → gone | trace; last recipient: message row and blob reference |
| settle: deferred | leased → waiting | attempts, due_ms, last error, trace; a delay warning if late |
| settle: failed | leased → gone | the bounce is enqueued or put into a mailbox; trace |
| hold, release, remove | by a person | trace |
| retry | waiting → waiting, due now | |
| fault | leased → held | an outcome that cannot be recorded must not be repeated |

A crash before a transition's commit leaves the state before it. So mail is never lost and no report
is lost or sent twice; only a crash between a peer's 250 and `settle` makes a delivery happen again,
which RFC 5321 §6.1 prefers to loss.

`hold` and `remove` act on leased rows too. What was removed, the settle that follows passes over, and
its sender is told nothing; what was held stays held if it was deferred, and is gone if it was decided.
A settle knows its rows by their lease, so it never touches what somebody else has claimed since.

One host has one queue runner. At its start it ends the leases that its predecessor left, so that a
restart does not wait for them to lapse.
"""

from enum import Enum


class QueueState(Enum):
    """The words of `queue_recipient.state`."""

    READY = "ready"
    HELD = "held"


LEASE_MS = 30 * 60 * 1000
"""How long a lane may take for one message; deliveries are given up before (see `delivery_seconds`)."""

DELIVERY_SECONDS = 25 * 60
"""Bound on one delivery attempt, all connections included; below `LEASE_MS`."""
