"""SEARCH and SORT, and both by UID (RFC 9051 §6.4.4, RFC 4731, RFC 5256 §3, RFC 5267 §3, RFC 7162 §3.1.5)."""

from dataclasses import replace

from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.search.context import check_context, open_context
from freehold.modules.mail.imap.search.matches import find_matches
from freehold.modules.mail.imap.search.result import send_result
from freehold.modules.mail.imap.search.saved_result import nothing_saved_on_failure
from freehold.modules.mail.imap.search.sort_order import sort_messages
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.sort import Sort


async def search(conversation: Conversation, command: Search) -> Reply:
    """Answer SEARCH; IMAP4rev2 knows the ESEARCH response only (RFC 9051 §6.4.4).

    Whoever has enabled UTF8=ACCEPT may not name a charset (RFC 6855 §3).

    Raises:
        NotSavedError: the result is too scattered to be saved.
    """
    if command.names_charset and conversation.utf8_accept:
        return Reply("CHARSET is not for who has enabled UTF8=ACCEPT", status=Status.BAD)
    if command.returns is None and conversation.rev2:
        command = replace(command, returns=ReturnOptions(frozenset({SearchReturn.ALL})))
    return await _find(conversation, command) or Reply("Search completed")


async def sort(conversation: Conversation, command: Sort) -> Reply:
    """Answer SORT.

    Raises:
        TooManyToSortError: more messages match than are sorted.
        NotSavedError: the result is too scattered to be saved.
    """
    return await _find(conversation, command) or Reply("Sort completed")


async def _find(conversation: Conversation, command: Search | Sort) -> Reply | None:
    """Find messages, tell and save them, and keep the result up to date, as the client wishes; or refuse."""
    view = conversation.selected
    if command.wants_mod_sequence:
        enable_condstore(conversation)
    refusal = check_context(view, command)
    if refusal is not None:
        return refusal
    with nothing_saved_on_failure(view, command.returns):
        found = await find_matches(conversation, view, command.key, modseqs=command.wants_mod_sequence)
        order = None
        if isinstance(command, Sort):
            order = await sort_messages(conversation, view, found.uids, command.order)
        await send_result(conversation, view, command, found, order)
    uids = found.uids if order is None else [found.uids[index] for index in order]
    open_context(conversation, view, command, uids)
    return None
