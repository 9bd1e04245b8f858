"""Tells IMAP4rev2 clients how a mailbox is spelled, or what it was called (RFC 9051 §6.3.9.7)."""

from collections.abc import Sequence

from freehold.modules.mail.folders.names import DELIMITER, canonical_name
from freehold.modules.mail.imap.conversation import Conversation
from freehold.protocols.imap import data_response


def tell_spelling(conversation: Conversation, asked: str, attributes: Sequence[str] = ()) -> None:
    """Send LIST where the one spelling of a name is not the one that the client used (RFC 9051 §6.3.9.7)."""
    asked = asked.removesuffix(DELIMITER)
    name = canonical_name(asked)
    if conversation.rev2 and name != asked:
        conversation.send(_spelled(name, attributes, old_name=asked))


def tell_renamed(conversation: Conversation, old_name: str, name: str) -> None:
    """Send LIST of a mailbox under its new name (RFC 9051 §6.3.6)."""
    if conversation.rev2:
        name = canonical_name(name.removesuffix(DELIMITER))
        conversation.send(_spelled(name, (), old_name=canonical_name(old_name)))


def tell_selected(conversation: Conversation, asked: str, attributes: Sequence[str]) -> None:
    """Send LIST of the mailbox that is being opened (RFC 9051 §6.3.2)."""
    name = canonical_name(asked)
    conversation.send(_spelled(name, attributes, old_name="" if name == asked else asked))


def _spelled(name: str, attributes: Sequence[str], *, old_name: str) -> bytes:
    """Write LIST of a client that has enabled IMAP4rev2."""
    return data_response.list_line(attributes, name, old_name=old_name, utf8=True)
