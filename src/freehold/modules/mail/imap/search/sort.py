"""SORT and UID SORT (RFC 5256 §3, RFC 5267 §3)."""

from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.search.context import check_context, open_context
from freehold.modules.mail.imap.search.matches import find_matches
from freehold.modules.mail.imap.search.result import send_result
from freehold.modules.mail.imap.search.saved_result import nothing_saved_on_failure
from freehold.modules.mail.imap.search.sort_order import sort_messages
from freehold.protocols.imap.sort import Sort


async def sort(conversation: Conversation, command: Sort) -> Reply:
    """Answer SORT.

    Raises:
        TooManyToSortError: more messages match than are sorted.
        NotSavedError: the result is too scattered to be saved.
    """
    view = conversation.selected
    if command.wants_mod_sequence:
        enable_condstore(conversation)
    refusal = check_context(view, command)
    if refusal is not None:
        return refusal
    with nothing_saved_on_failure(view, command.returns):
        found = await find_matches(conversation, view, command.key, modseqs=command.wants_mod_sequence)
        order = await sort_messages(conversation, view, found.uids, command.order)
        await send_result(conversation, view, command, found, order)
    open_context(conversation, view, command, [found.uids[index] for index in order])
    return Reply("Sort completed")
