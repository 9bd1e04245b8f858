"""Which function answers which command."""

from collections.abc import Awaitable, Callable
from typing import Any

from freehold.modules.mail.imap.any_state import capability, identify, noop
from freehold.modules.mail.imap.authenticate import login
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.copy import copy, move
from freehold.modules.mail.imap.enable import enable
from freehold.modules.mail.imap.expunge import expunge
from freehold.modules.mail.imap.fetch.command import fetch
from freehold.modules.mail.imap.folders import acl, manage, metadata, quota
from freehold.modules.mail.imap.folders import list as list_family
from freehold.modules.mail.imap.folders.status import status
from freehold.modules.mail.imap.notify.command import notify
from freehold.modules.mail.imap.search.command import search, sort
from freehold.modules.mail.imap.search.context import cancel_update
from freehold.modules.mail.imap.search.saved_result import put_saved_result
from freehold.modules.mail.imap.select import check, close, select, unselect
from freehold.modules.mail.imap.store import store
from freehold.modules.mail.imap.thread.command import thread
from freehold.modules.mail.imap.uid_only import refuse_numbers, uses_numbers
from freehold.protocols.imap.acl import DeleteAcl, GetAcl, ListRights, MyRights, SetAcl
from freehold.protocols.imap.any_state import Capability, Identify, Noop
from freehold.protocols.imap.authenticate import Login
from freehold.protocols.imap.cancel_update import CancelUpdate
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.copy import Copy, Move
from freehold.protocols.imap.enable import Enable
from freehold.protocols.imap.expunge import Expunge
from freehold.protocols.imap.fetch import Fetch
from freehold.protocols.imap.list import ListMailboxes, ListSubscribed
from freehold.protocols.imap.mailbox import Create, Delete, Namespace, Rename, Subscribe, Unsubscribe
from freehold.protocols.imap.metadata import GetMetadata, SetMetadata
from freehold.protocols.imap.notify import Notify
from freehold.protocols.imap.quota import GetQuota, GetQuotaRoot, SetQuota
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.select import Check, Close, Select, Unselect
from freehold.protocols.imap.sort import Sort
from freehold.protocols.imap.status import MailboxStatus
from freehold.protocols.imap.store import Store
from freehold.protocols.imap.thread import Thread

Handler = Callable[[Conversation, Any], Awaitable[Reply]]

HANDLERS: dict[type[Command], Handler] = {
    Capability: capability,
    Noop: noop,
    Identify: identify,
    Enable: enable,
    Login: login,
    Select: select,
    Close: close,
    Unselect: unselect,
    Check: check,
    Create: manage.create,
    Delete: manage.delete,
    Rename: manage.rename,
    Subscribe: manage.subscribe,
    Unsubscribe: manage.unsubscribe,
    Namespace: manage.namespace,
    ListMailboxes: list_family.list_mailboxes,
    ListSubscribed: list_family.list_subscribed,
    MailboxStatus: status,
    SetAcl: acl.set_acl,
    DeleteAcl: acl.delete_acl,
    GetAcl: acl.get_acl,
    ListRights: acl.list_rights,
    MyRights: acl.my_rights,
    Fetch: fetch,
    Notify: notify,
    Store: store,
    Search: search,
    Sort: sort,
    Thread: thread,
    CancelUpdate: cancel_update,
    Copy: copy,
    Move: move,
    Expunge: expunge,
    GetQuota: quota.get_quota,
    GetQuotaRoot: quota.get_quota_root,
    SetQuota: quota.set_quota,
    GetMetadata: metadata.get_metadata,
    SetMetadata: metadata.set_metadata,
}

_BY_NUMBER = Fetch | Store | Search | Sort | Thread
"""Commands that the client counts by, unless they name UIDs only: no message may vanish meanwhile."""


async def answer(conversation: Conversation, command: Command) -> Reply:
    """Run a command, with the saved result in the place of `$` (RFC 5182)."""
    if conversation.uid_only and uses_numbers(command):
        return refuse_numbers()
    if conversation.view is not None:
        command = put_saved_result(command, conversation.view)
    return await HANDLERS[type(command)](conversation, command)


def goes_by_uid(command: Command) -> bool:
    """Tell whether a command names messages by UID."""
    return isinstance(command, _BY_NUMBER | Copy | Move) and command.uid


def allows_expunges(command: Command) -> bool:
    """Tell whether EXPUNGE may be told before the command's reply (RFC 9051 §7.5.1, RFC 7162 §3.2.10.2)."""
    return not isinstance(command, _BY_NUMBER) or not uses_numbers(command)
