"""What a client that was away has missed (RFC 7162 §3.2.5, §3.2.6)."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from freehold.modules.mail.folders.lost_changes import known_modseq
from freehold.modules.mail.folders.ranges import UidRange, merge_ranges, subtract_ranges
from freehold.modules.mail.folders.read import changes_since
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.fetch.rows import send_rows
from freehold.modules.mail.imap.messages.rows import plan_rows
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap import data_response
from freehold.protocols.imap.cursor import MAX_NUMBER32
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.imap.select import Resynchronisation

_TOLD = (FetchAttribute.UID, FetchAttribute.FLAGS, FetchAttribute.MODSEQ)
_TOLD_BY_UID = (FetchAttribute.FLAGS, FetchAttribute.MODSEQ)


async def resynchronise(conversation: Conversation, view: View, known: Resynchronisation) -> None:
    """Tell what vanished and which flags changed since the client's mod-sequence.

    Expunges are never lost; where changes of flags were, all flags are told.
    """
    highest = view.uid_next - 1
    if not highest:
        return
    asked = [(1, highest)] if known.known_uids is None else known.known_uids.resolve(highest)
    heard = _heard_up_to(view.uids, known)
    unheard = [(max(low, heard + 1), high) for low, high in asked if high > heard]
    await tell_vanished(conversation, view, unheard, known.mod_sequence)
    positions = view.uids.positions_of(asked)
    told = _TOLD_BY_UID if view.uid_only else _TOLD
    since = await conversation.context.database.read(known_modseq, view.mailbox_id, known.mod_sequence)
    await send_rows(conversation, view, plan_rows(told, changed_only=True), positions, since)


async def tell_vanished(
    conversation: Conversation, view: View, asked: Sequence[UidRange], mod_sequence: int
) -> None:
    """Tell which UIDs of `asked` (ascending, disjoint) were expunged since `mod_sequence`.

    Where the change log does not reach back so far, every UID that is not there is told.
    """
    changes = await conversation.context.database.read(
        changes_since,
        view.mailbox_id,
        view.folder_id,
        mod_sequence,
        from_uid=view.uid_next,
    )
    below = [(low, min(high, view.uid_next - 1)) for low, high in asked if low < view.uid_next]
    there = list(view.uids.uid_ranges(0, len(view.uids)))
    gone = subtract_ranges(below, there)
    if changes is not None and changes.is_complete:
        gone = _intersect(gone, changes.expunged)
    conversation.send(data_response.vanished(gone, earlier=True))


def _heard_up_to(there: UidMap, known: Resynchronisation) -> int:
    """Return up to which UID the client knows of all expunges, by its sample; 0 if it does not tell.

    A message that has the number it had then lost none before it (RFC 7162 §3.2.5.2).
    """
    heard = 0
    if known.known_numbers is None or known.their_uids is None:
        return heard
    numbers = known.known_numbers.resolve(len(there))
    for number, uid, count in _side_by_side(numbers, known.their_uids.resolve(MAX_NUMBER32)):
        start, told = number - 1, min(count, len(there) - number + 1)
        same = bisect_right(range(told), 0, key=_ahead(there, start, uid)) - 1
        if same >= 0 and there.uid_at(start + same) == uid + same:
            heard = max(heard, uid + same)
    return heard


def _ahead(there: UidMap, start: int, uid: int) -> Callable[[int], int]:
    """Return how far the UIDs from an index on are ahead of those from `uid` on, which never falls."""
    return lambda place: there.uid_at(start + place) - (uid + place)


def _side_by_side(numbers: list[UidRange], uids: list[UidRange]) -> Iterator[tuple[int, int, int]]:
    """Yield the pieces in which two sets run side by side: where each begins, and how many they are."""
    numbers, uids = numbers[::-1], uids[::-1]
    while numbers and uids:
        (number, last), (uid, last_uid) = numbers.pop(), uids.pop()
        count = min(last - number, last_uid - uid) + 1
        yield number, uid, count
        if number + count <= last:
            numbers.append((number + count, last))
        if uid + count <= last_uid:
            uids.append((uid + count, last_uid))


def _intersect(left: Sequence[UidRange], right: Sequence[UidRange]) -> list[UidRange]:
    return subtract_ranges(left, subtract_ranges(left, merge_ranges(right)))
