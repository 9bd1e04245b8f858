"""The result of a search that the client goes on with as `$` (RFC 5182)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from freehold.errors import FreeholdError
from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.imap.errors import NotSavedError
from freehold.modules.mail.imap.selected.number_sets import messages_in, replace_sets, sets_in
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.modules.mail.imap.selected.view import NOTHING_SAVED, View
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.copy import Copy, Move
from freehold.protocols.imap.expunge import Expunge
from freehold.protocols.imap.fetch import Fetch
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_keys import Numbers, SearchKey, Uids
from freehold.protocols.imap.search_return import ReturnOptions
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.sort import Sort
from freehold.protocols.imap.store import Store
from freehold.protocols.imap.thread import Thread

MAX_SAVED_RANGES = 65_536
"""Runs of UIDs that a saved result may have; each costs the session 8 bytes."""


def save_result(view: View, uids: Iterable[int]) -> None:
    """Have `$` stand for these messages, ascending.

    Raises:
        NotSavedError: they make too many runs; `$` then stands for nothing.
    """
    forget_result(view)
    ranges = uid_ranges(list(uids))
    if len(ranges) > MAX_SAVED_RANGES:
        raise NotSavedError
    view.saved = UidMap(ranges)


@contextmanager
def nothing_saved_on_failure(view: View, returns: ReturnOptions | None) -> Iterator[None]:
    """Have `$` stand for nothing if a search that was to save its result fails (RFC 5182 §2.1)."""
    try:
        yield
    except FreeholdError:
        if returns is not None and returns.save:
            forget_result(view)
        raise


def forget_result(view: View) -> None:
    """Have `$` stand for nothing."""
    view.saved = NOTHING_SAVED


def put_saved_result(command: Command, view: View) -> Command:
    """Return a command with the saved result in the place of `$`, without what has gone since."""
    match command:
        case Fetch() | Store() | Copy() | Move():
            if command.messages.is_saved_result:
                return replace(command, messages=_saved(view, uid=command.uid))
        case Expunge(uids=SequenceSet() as uids):
            if uids.is_saved_result:
                return replace(command, uids=_saved(view, uid=True))
        case Search() | Sort() | Thread():
            if any(map(_is_saved, sets_in(command.key))):
                return replace(command, key=_put(command.key, view))
    return command


def _put(key: SearchKey, view: View) -> SearchKey:
    saved = Uids(_saved(view, uid=True))
    return replace_sets(key, lambda named: saved if _is_saved(named) else named)


def _is_saved(named: Numbers | Uids) -> bool:
    return messages_in(named).is_saved_result


def _saved(view: View, *, uid: bool) -> SequenceSet:
    positions = view.uids.positions_of(view.saved.uid_ranges(0, len(view.saved)))
    if not uid:
        return SequenceSet(tuple((each.start + 1, each.stop) for each in positions))
    return SequenceSet(
        tuple(uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop))
    )
