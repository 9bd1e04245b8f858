"""Sets of messages within search keys, put in terms that stay right when messages go or come."""

from collections.abc import Callable

from freehold.modules.mail.imap.view import View
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


def any_set(key: SearchKey, wanted: Callable[[Numbers | Uids], bool]) -> bool:
    """Tell whether some set in a key is wanted."""
    match key:
        case And(keys) | Or(keys):
            return any(any_set(each, wanted) for each in keys)
        case Not(inner):
            return any_set(inner, wanted)
        case Numbers() | Uids():
            return wanted(key)
        case _:
            return False


def by_uid(key: SearchKey, view: View) -> SearchKey:
    """Return a key that names by UID what it names by number; `*` goes on meaning the newest message."""

    def change(named: Numbers | Uids) -> SearchKey:
        if isinstance(named, Uids):
            return named
        uids: list[tuple[int, int]] = []
        for low, high in named.messages.ranges:
            if high == STAR and low in {STAR, 1}:
                uids.append((low, STAR))
            elif high == STAR and low <= len(view.uids):
                uids.append((view.uids.uid_at(low - 1), STAR))
            else:
                positions = view.uids.positions(SequenceSet(((low, high),)), uid=False)
                uids += (pair for each in positions for pair in view.uids.uid_ranges(each.start, each.stop))
        return Uids(SequenceSet(tuple(uids)))

    return replace_sets(key, change)
