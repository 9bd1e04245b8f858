"""Search results that are kept up to date: RETURN (UPDATE) and CANCELUPDATE (RFC 5267 §4.3).

A result changes when messages come, go or change their flags; keys that depend on the time of day
(OLDER, YOUNGER) are looked at only then.
"""

from array import array
from collections.abc import Iterable, Sequence

from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.ranges import UidRange, merge_ranges, subtract_ranges
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import TooManyToSortError
from freehold.modules.mail.imap.search.context_changes import changes_in_order, changes_in_sort
from freehold.modules.mail.imap.search.matches import find_matches
from freehold.modules.mail.imap.search.sort_order import sort_messages
from freehold.modules.mail.imap.selected.live_result import MAX_CONTEXT_MESSAGES, LiveResult
from freehold.modules.mail.imap.selected.number_sets import by_uid
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap import response, response_code
from freehold.protocols.imap.cancel_update import CancelUpdate
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_keys import And, Uids
from freehold.protocols.imap.search_response import added_to, removed_from
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.sort import Sort

MAX_CONTEXTS = 16
"""Results that one session has kept up to date."""


def check_context(view: View, command: Search | Sort) -> Reply | None:
    """Return the refusal of a command whose tag already names a result that is kept up to date."""
    if command.returns is None or not command.returns.update:
        return None
    if any(context.tag == command.tag for context in view.contexts):
        return Reply("The tag names another search that is kept up to date", status=Status.BAD)
    return None


def open_context(conversation: Conversation, view: View, command: Search | Sort, uids: Sequence[int]) -> None:
    """Keep a result up to date, if the client wishes; say NOUPDATE where that would be too much.

    `uids` are the result in its order.
    """
    if command.returns is None or not command.returns.update:
        return
    key = by_uid(command.key, view.uids)
    if isinstance(command, Sort):
        context = LiveResult(command.tag, command.uid, key, command.order, UidMap(), array("I", uids))
    else:
        context = LiveResult(command.tag, command.uid, key, (), UidMap(uid_ranges(list(uids))), array("I"))
    context.items = command.returns.update_items
    if len(view.contexts) >= MAX_CONTEXTS or context.is_too_large:
        _refuse_updates(conversation, context)
    else:
        view.contexts = [*view.contexts, context]


async def cancel_update(conversation: Conversation, command: CancelUpdate) -> Reply:
    """Answer CANCELUPDATE (RFC 5267 §4.3.5); an unknown tag is refused, the others are cancelled."""
    view = conversation.selected
    known = {context.tag for context in view.contexts}
    view.contexts = [context for context in view.contexts if context.tag not in command.tags]
    if known.issuperset(command.tags):
        return Reply("No further updates")
    return Reply("Unknown tag", status=Status.NO)


async def tell_expunged_results(conversation: Conversation, view: View, expunged: list[UidRange]) -> None:
    """Tell what expunges take out of results, while the message numbers are still right (RFC 5267 §4.3.4)."""
    if not expunged:
        return
    for context in view.contexts:
        if context.order:
            await _change_sorted(conversation, view, context, expunged, [])
        else:
            await _change_runs(conversation, view, context, expunged, [])


async def tell_changed_results(conversation: Conversation, view: View, changed: list[UidRange]) -> None:
    """Tell what came into or left results with messages that are new or have other flags now."""
    positions = view.uids.positions_of(merge_ranges(changed)) if view.contexts else []
    if not positions:
        return
    looked_at = [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]
    for context in list(view.contexts):
        key = And((context.key, Uids(SequenceSet(tuple(looked_at)))))
        found = uid_ranges(list((await find_matches(conversation, view, key)).uids))
        try:
            if context.order:
                await _change_sorted(conversation, view, context, looked_at, found)
            else:
                await _change_runs(conversation, view, context, looked_at, found)
            is_kept = not context.is_too_large
        except TooManyToSortError:
            is_kept = False
        if not is_kept:
            view.contexts = [each for each in view.contexts if each is not context]
            _refuse_updates(conversation, context)


async def _change_runs(
    conversation: Conversation,
    view: View,
    context: LiveResult,
    looked_at: Sequence[UidRange],
    found: Sequence[UidRange],
) -> None:
    """Bring a result of SEARCH up to date: of what was looked at, it holds what was found from now on."""
    before = list(context.runs.uid_ranges(0, len(context.runs)))
    lost = subtract_ranges(before, subtract_ranges(before, looked_at))
    lost = subtract_ranges(lost, found)
    gained = subtract_ranges(found, before)
    context.runs = UidMap(merge_ranges([*subtract_ranges(before, lost), *gained]))
    await _tell(conversation, view, context, changes_in_order(lost), changes_in_order(gained))


async def _change_sorted(
    conversation: Conversation,
    view: View,
    context: LiveResult,
    looked_at: Sequence[UidRange],
    found: Sequence[UidRange],
) -> None:
    """Bring a result of SORT up to date; what stays keeps its order, for no criterion can change.

    Raises:
        TooManyToSortError: there are too many messages to keep the result.
    """
    before = context.sorted_uids
    looked, matching = UidMap(looked_at), UidMap(found)
    kept = [uid for uid in before if looked.index_of(uid) < 0 or matching.index_of(uid) >= 0]
    gained = sorted(set(matching.uids(0, len(matching))) - set(before))
    after: Sequence[int] = kept
    if len(kept) + len(gained) > MAX_CONTEXT_MESSAGES:
        raise TooManyToSortError
    if gained:
        uids = sorted([*kept, *gained])
        after = [uids[index] for index in await sort_messages(conversation, view, uids, context.order)]
    context.sorted_uids = array("I", after)
    lost = changes_in_sort(before, set(before).difference(kept), backwards=True)
    await _tell(conversation, view, context, lost, changes_in_sort(after, set(gained), backwards=False))


async def _tell(
    conversation: Conversation,
    view: View,
    context: LiveResult,
    lost: Sequence[tuple[int, Sequence[int]]],
    gained: Sequence[tuple[int, Sequence[int]]],
) -> None:
    index_of = view.uids.index_of
    for write, changes in ((removed_from, lost), (added_to, gained)):
        entries: Iterable[tuple[int, Sequence[int]]] = changes
        if not context.uid:
            entries = ((place, [index_of(uid) + 1 for uid in uids]) for place, uids in changes)
        for piece in write(context.tag, entries, uid=context.uid):
            conversation.send(piece)
            await conversation.peer.flush()


def _refuse_updates(conversation: Conversation, context: LiveResult) -> None:
    conversation.send(
        response.untagged_no("Too much to keep up to date", response_code.no_update(context.tag))
    )
