"""COMPRESS: everything behind its reply is deflated, both ways (RFC 4978)."""

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.protocols.imap import response_code
from freehold.protocols.imap.errors import Status

ACCEPTED = Reply("DEFLATE active")
ALREADY_ACTIVE = Reply("DEFLATE is active already", response_code.COMPRESSIONACTIVE, Status.NO)


def start_compression(conversation: Conversation) -> None:
    """Deflate from here on; call it when the reply has been sent."""
    conversation.is_compressed = True
    conversation.peer.start_compression(conversation.connection.take_unused())
