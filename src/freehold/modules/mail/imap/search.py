"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 7162 §3.1.5)."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.search_matches import find_matches
from freehold.modules.mail.imap.view import View
from freehold.protocols.imap import search_response
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn


async def search(conversation: Conversation, command: Search) -> Reply:
    """Answer SEARCH; IMAP4rev2 knows the ESEARCH response only (RFC 9051 §6.4.4)."""
    view = conversation.selected
    if command.returns is None and conversation.rev2:
        command = replace(command, returns=ReturnOptions(frozenset({SearchReturn.ALL})))
    if command.wants_mod_sequence:
        enable_condstore(conversation)
    found = await find_matches(conversation, view, command.key)
    numbers: Sequence[int] = found.uids if command.uid else _numbers(view, found.uids)
    mod_sequence = _mod_sequence(command, found.modseqs) if command.wants_mod_sequence else None
    for piece in _response(command, numbers, mod_sequence):
        conversation.send(piece)
        await conversation.peer.flush()
    return Reply("Search completed")


def _response(command: Search, numbers: Sequence[int], mod_sequence: int | None) -> Iterator[bytes]:
    if command.returns is None:
        return search_response.search_chunks(numbers, mod_sequence)
    return search_response.esearch_chunks(
        command.tag, numbers, command.returns, uid=command.uid, mod_sequence=mod_sequence
    )


def _numbers(view: View, uids: "array[int]") -> Sequence[int]:
    if len(uids) == len(view.uids):
        return range(1, len(uids) + 1)
    index_of = view.uids.index_of
    return array("I", [index_of(uid) + 1 for uid in uids])


def _mod_sequence(command: Search, modseqs: "array[int]") -> int | None:
    """Return the highest mod-sequence of what is told; of MIN and MAX alone, of those two messages."""
    if not modseqs:
        return None
    if command.returns is not None and command.returns.told <= {SearchReturn.MIN, SearchReturn.MAX}:
        told = [modseqs[0]] if SearchReturn.MIN in command.returns.told else []
        told += [modseqs[-1]] if SearchReturn.MAX in command.returns.told else []
        return max(told)
    return max(modseqs)
