"""CAPABILITY, NOOP, ID, and what a session can do (RFC 9051 §6.1, RFC 2971)."""

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.protocols.imap import data_response
from freehold.protocols.imap.any_state import Capability, Identify, Noop

_ALWAYS = ("IMAP4rev1", "IMAP4rev2", "SASL-IR", "LITERAL+", "ID", "ENABLE", "IDLE")
_AFTER_LOGIN = (
    "NAMESPACE",
    "UIDPLUS",
    "MOVE",
    "UNSELECT",
    "CHILDREN",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    "ACL",
    "RIGHTS=texk",
    "LIST-MYRIGHTS",
    "ESEARCH",
    "ESORT",
    "SORT",
    "SORT=DISPLAY",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "SEARCH=FUZZY",
    "SEARCHRES",
    "PARTIAL",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "UIDONLY",
    "WITHIN",
    "MULTIAPPEND",
    "BINARY",
    "CATENATE",
    "REPLACE",
    "CONDSTORE",
    "QRESYNC",
    "UTF8=ACCEPT",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "OBJECTID",
    "SAVEDATE",
    "PREVIEW",
    "METADATA",
    "LIST-METADATA",
    "NOTIFY",
)


def capabilities(conversation: Conversation) -> list[str]:
    """Return what is offered in the state the session is in."""
    names = list(_ALWAYS)
    if conversation.mailbox_id:
        names += _AFTER_LOGIN
        if not conversation.is_compressed:
            names.append("COMPRESS=DEFLATE")
        names.append(f"APPENDLIMIT={conversation.context.settings.max_message_bytes}")
        return names
    if conversation.peer.tls is None and conversation.has_starttls:
        names.append("STARTTLS")
    names.append("AUTH=SCRAM-SHA-256")
    if conversation.peer.tls is not None or conversation.peer.address.is_loopback:
        names += ("AUTH=PLAIN", "AUTH=LOGIN")
    else:
        names.append("LOGINDISABLED")
    return names


async def capability(conversation: Conversation, _command: Capability) -> Reply:
    """Answer CAPABILITY."""
    conversation.send(data_response.capability(capabilities(conversation)))
    return Reply("Capability completed")


async def noop(conversation: Conversation, _command: Noop) -> Reply:
    """Answer NOOP; what it is for happens before every tagged reply."""
    if conversation.notify is not None:
        conversation.notify.look_again()
    return Reply("NOOP completed")


async def identify(conversation: Conversation, _command: Identify) -> Reply:
    """Answer ID; what the client says is not used."""
    conversation.send(data_response.identify({"name": "Freehold"}))
    return Reply("ID completed")
