"""Turning CONDSTORE on by using it (RFC 7162 §3.1)."""

from freehold.modules.mail.imap.conversation import Conversation
from freehold.protocols.imap import response, response_code


def enable_condstore(conversation: Conversation) -> None:
    """Have mod-sequences told from now on, beginning with the open folder's."""
    if conversation.condstore:
        return
    conversation.condstore = True
    if conversation.view is not None:
        code = response_code.highest_mod_sequence(
            min(conversation.view.known_modseq, conversation.view.expunged_modseq)
        )
        conversation.send(response.untagged_ok("Highest", code))
