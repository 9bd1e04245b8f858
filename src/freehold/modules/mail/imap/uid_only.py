"""The mode in which messages have UIDs and no numbers (RFC 9586)."""

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.selected.number_sets import sets_in
from freehold.protocols.imap import response_code
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.copy import Copy, Move
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.fetch import Fetch
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_keys import Numbers, Uids
from freehold.protocols.imap.sort import Sort
from freehold.protocols.imap.store import Store
from freehold.protocols.imap.thread import Thread


def enable_uid_only(conversation: Conversation) -> None:
    """Tell and take only UIDs from now on."""
    conversation.uid_only = True
    if conversation.view is not None:
        conversation.view.uid_only = True


def refuse_numbers() -> Reply:
    """Return the refusal of a command that has to do with message numbers (RFC 9586 §3)."""
    return Reply("UIDONLY is in force", response_code.UIDREQUIRED, Status.BAD)


def uses_numbers(command: Command) -> bool:
    """Tell whether a command on the open folder names or would tell messages by number."""
    match command:
        case Fetch() | Store() | Copy() | Move():
            return not command.uid
        case Search() | Sort() | Thread():
            return not command.uid or any(map(_is_number, sets_in(command.key)))
        case _:
            return False


def _is_number(named: Numbers | Uids) -> bool:
    return isinstance(named, Numbers) and not named.messages.is_saved_result
