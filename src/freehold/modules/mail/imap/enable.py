"""ENABLE: what a client can switch on for its session (RFC 9051 §6.3.1, RFC 5161).

A feature is one row of `FEATURES`; nothing that was switched on is ever switched off again.
"""

from collections.abc import Callable

from freehold.modules.mail.imap.condstore import enable_condstore
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.modules.mail.imap.uid_only import enable_uid_only
from freehold.protocols.imap import data_response
from freehold.protocols.imap.enable import Enable


async def enable(conversation: Conversation, command: Enable) -> Reply:
    """Answer ENABLE; what cannot be enabled is ignored."""
    wanted = set(command.capabilities)
    enabled = [name for name in FEATURES if name.upper() in wanted]
    for name in enabled:
        FEATURES[name](conversation)
    conversation.send(data_response.enabled(enabled))
    return Reply("Enabled")


def _qresync(conversation: Conversation) -> None:
    """Bring CONDSTORE along (RFC 7162 §3.2.3)."""
    enable_condstore(conversation)
    conversation.qresync = True


def _utf8(conversation: Conversation) -> None:
    """Have mailbox names be UTF-8 (RFC 6855 §3); octets over 127 in quoted strings are taken anyway."""
    conversation.connection.utf8 = conversation.utf8_accept = True


def _rev2(conversation: Conversation) -> None:
    r"""Speak IMAP4rev2: names are UTF-8, and nothing is \Recent any more."""
    conversation.connection.utf8 = conversation.rev2 = True
    if conversation.view is not None:
        conversation.view.recent = UidMap()


FEATURES: dict[str, Callable[[Conversation], None]] = {
    "CONDSTORE": enable_condstore,
    "QRESYNC": _qresync,
    "UTF8=ACCEPT": _utf8,
    "IMAP4rev2": _rev2,
    "UIDONLY": enable_uid_only,
}
"""What each capability switches on, in its own spelling."""
