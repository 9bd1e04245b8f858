"""How changes of a search result are told: which messages come or go, and where (RFC 5267 §4.3.2)."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from freehold.modules.mail.folders.ranges import UidRange

Changes = list[tuple[int, Sequence[int]]]


def changes_in_order(ranges: Sequence[UidRange]) -> Changes:
    """Return one change for a result in mailbox order, where position 0 says that no more is to be said."""
    uids = [uid for first, last in ranges for uid in range(first, last + 1)]
    return [(0, uids)] if uids else []


def changes_in_sort(uids: Iterable[int], changed: AbstractSet[int], *, backwards: bool) -> Changes:
    """Return the changes for a sorted result, each with the position of its first message, from 1.

    The client applies them one after the other: what comes is told forwards in the result it leads to,
    what goes `backwards` in the result it leaves, so that no change moves the place of a later one.
    """
    changes: list[tuple[int, list[int]]] = []
    behind = 0
    if not changed:
        return []
    for position, uid in enumerate(uids, 1):
        if uid not in changed:
            continue
        if changes and behind == position:
            changes[-1][1].append(uid)
        else:
            changes.append((position, [uid]))
        behind = position + 1
    return [*reversed(changes)] if backwards else [*changes]
