"""What becomes of the messages that SEARCH or SORT found: they are told, saved, or both."""

from array import array
from collections.abc import Iterator, Sequence

from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.search.matches import Found
from freehold.modules.mail.imap.search.saved_result import save_result
from freehold.modules.mail.imap.selected.view import View
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_response import esearch_chunks, search_chunks
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.sort import Sort


async def send_result(
    conversation: Conversation, view: View, command: Search | Sort, found: Found, order: Sequence[int] | None
) -> None:
    """Tell what was found, in pieces, and save it if the client wishes.

    `order` are the indexes of `found` as they are sorted; None: by number.

    Raises:
        NotSavedError: it cannot be saved; nothing was told.
    """
    returns = command.returns
    told = _told(returns, order, len(found.uids))
    if returns is not None and returns.save:
        save_result(view, sorted(map(found.uids.__getitem__, told)))
        if returns.is_silent:
            return
    mod_sequence = None
    if command.wants_mod_sequence and told:
        mod_sequence = max(map(found.modseqs.__getitem__, told))
    numbers: Sequence[int] = found.uids if command.uid else message_numbers(view, found.uids)
    if order is not None:
        numbers = array("I", map(numbers.__getitem__, order))
    for piece in _response(command, numbers, mod_sequence):
        conversation.send(piece)
        await conversation.peer.flush()


def message_numbers(view: View, uids: Sequence[int]) -> Sequence[int]:
    """Return the message numbers of ascending UIDs, all of which the view has."""
    if len(uids) == len(view.uids):
        return range(1, len(uids) + 1)
    index_of = view.uids.index_of
    return array("I", [index_of(uid) + 1 for uid in uids])


def _told(returns: ReturnOptions | None, order: Sequence[int] | None, count: int) -> Sequence[int]:
    """Return which results, as indexes, are told one by one.

    The highest mod-sequence is theirs (RFC 4731 §3.2), and they are what is saved (RFC 5182 §2.4,
    RFC 9394 §3.2): of MIN, MAX and PARTIAL only those, else all.
    """
    everything: Sequence[int] = range(count) if order is None else order
    if returns is None or not count:
        return everything
    if not (returns.told or returns.partial) or returns.told & {SearchReturn.ALL, SearchReturn.COUNT}:
        return everything
    places = set(() if returns.partial is None else returns.partial.indexes(count))
    if SearchReturn.MIN in returns.told:
        places.add(0)
    if SearchReturn.MAX in returns.told:
        places.add(count - 1)
    return [everything[place] for place in sorted(places)]


def _response(command: Search | Sort, numbers: Sequence[int], mod_sequence: int | None) -> Iterator[bytes]:
    if command.returns is None:
        name = b"SORT" if isinstance(command, Sort) else b"SEARCH"
        return search_chunks(numbers, mod_sequence, name=name)
    return esearch_chunks(command.tag, numbers, command.returns, uid=command.uid, mod_sequence=mod_sequence)
