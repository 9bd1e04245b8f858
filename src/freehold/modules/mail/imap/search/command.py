"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 7162 §3.1.5)."""

from dataclasses import replace

from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.search.context import check_context, open_context
from freehold.modules.mail.imap.search.matches import find_matches
from freehold.modules.mail.imap.search.result import send_result
from freehold.modules.mail.imap.search.saved_result import nothing_saved_on_failure
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn


async def search(conversation: Conversation, command: Search) -> Reply:
    """Answer SEARCH; IMAP4rev2 knows the ESEARCH response only (RFC 9051 §6.4.4).

    Whoever has enabled UTF8=ACCEPT may not name a charset (RFC 6855 §3).

    Raises:
        NotSavedError: the result is too scattered to be saved.
    """
    view = conversation.selected
    if command.names_charset and conversation.utf8_accept:
        return Reply("CHARSET is not for who has enabled UTF8=ACCEPT", status=Status.BAD)
    if command.returns is None and conversation.rev2:
        command = replace(command, returns=ReturnOptions(frozenset({SearchReturn.ALL})))
    if command.wants_mod_sequence:
        enable_condstore(conversation)
    refusal = check_context(view, command)
    if refusal is not None:
        return refusal
    with nothing_saved_on_failure(view, command.returns):
        found = await find_matches(conversation, view, command.key, modseqs=command.wants_mod_sequence)
        await send_result(conversation, view, command, found, None)
    open_context(conversation, view, command, found.uids)
    return Reply("Search completed")
