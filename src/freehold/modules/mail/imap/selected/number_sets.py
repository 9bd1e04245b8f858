"""Sets of messages within search keys, put in terms that stay right when messages go or come."""

from collections.abc import Callable, Iterator

from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.protocols.imap.search_keys import And, Not, Numbers, Or, SearchKey, Uids
from freehold.protocols.imap.sequence_set import STAR, SequenceSet


def replace_sets(key: SearchKey, change: Callable[[Numbers | Uids], SearchKey]) -> SearchKey:
    """Return a key with every set of numbers or UIDs in it changed."""
    match key:
        case And(keys):
            return And(tuple(replace_sets(each, change) for each in keys))
        case Or(keys):
            return Or(tuple(replace_sets(each, change) for each in keys))
        case Not(inner):
            return Not(replace_sets(inner, change))
        case Numbers() | Uids():
            return change(key)
        case _:
            return key


def sets_in(key: SearchKey) -> Iterator[Numbers | Uids]:
    """Yield the sets of numbers or UIDs in a key."""
    match key:
        case And(keys) | Or(keys):
            for each in keys:
                yield from sets_in(each)
        case Not(inner):
            yield from sets_in(inner)
        case Numbers() | Uids():
            yield key


def messages_in(named: Numbers | Uids) -> SequenceSet:
    """Return the set itself."""
    return named.messages if isinstance(named, Numbers) else named.uids


def by_uid(key: SearchKey, there: UidMap) -> SearchKey:
    """Return a key that names by UID what it names by number; `*` goes on meaning the newest message."""

    def change(named: Numbers | Uids) -> SearchKey:
        if isinstance(named, Uids):
            return named
        uids: list[tuple[int, int]] = []
        for low, high in named.messages.ranges:
            if high == STAR and low in {STAR, 1}:
                uids.append((low, STAR))
            elif high == STAR and low <= len(there):
                uids.append((there.uid_at(low - 1), STAR))
            else:
                positions = there.positions(SequenceSet(((low, high),)), uid=False)
                uids += (pair for each in positions for pair in there.uid_ranges(each.start, each.stop))
        return Uids(SequenceSet(tuple(uids)))

    return replace_sets(key, change)
