"""What a client that was away has missed (RFC 7162 §3.2.5, §3.2.6)."""

from collections.abc import Sequence

from freehold.modules.mail.folders.ranges import UidRange, merge_ranges, subtract_ranges
from freehold.modules.mail.folders.read import changes_since
from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.fetch_rows import send_rows
from freehold.modules.mail.imap.message_rows import plan_rows
from freehold.modules.mail.imap.view import View
from freehold.protocols.imap import data_response
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.imap.select import Resynchronisation

_TOLD = (FetchAttribute.UID, FetchAttribute.FLAGS, FetchAttribute.MODSEQ)
_TOLD_BY_UID = (FetchAttribute.FLAGS, FetchAttribute.MODSEQ)


async def resynchronise(conversation: Conversation, view: View, known: Resynchronisation) -> None:
    """Tell what vanished and which flags changed since the client's mod-sequence."""
    highest = view.uid_next - 1
    if not highest:
        return
    asked = [(1, highest)] if known.known_uids is None else known.known_uids.resolve(highest)
    await tell_vanished(conversation, view, asked, known.mod_sequence)
    positions = view.uids.positions_of(asked)
    told = _TOLD_BY_UID if view.uid_only else _TOLD
    await send_rows(conversation, view, plan_rows(told, changed_only=True), positions, known.mod_sequence)


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


def _intersect(left: Sequence[UidRange], right: Sequence[UidRange]) -> list[UidRange]:
    return subtract_ranges(left, subtract_ranges(left, merge_ranges(right)))
