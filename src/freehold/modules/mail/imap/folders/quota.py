"""GETQUOTA, GETQUOTAROOT, SETQUOTA, and the warning of a mailbox that is nearly full (RFC 9208).

A mailbox is one quota root; its only resource is STORAGE. The limit of an owner's mailboxes together is
no root: its use would tell one person what others keep. Quotas are set on the host
(`freehold mailbox quota`).
"""

from freehold.errors import NotAllowedError, NotFoundError
from freehold.kernel.log import get_logger
from freehold.modules.mail.errors import FolderNotFoundError
from freehold.modules.mail.folders.names import is_name_of_others
from freehold.modules.mail.folders.quota import WARNING_PERCENTS, Use, mailbox_use
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.protocols.imap import response, response_code
from freehold.protocols.imap.quota import (
    GetQuota,
    GetQuotaRoot,
    QuotaResource,
    SetQuota,
    quota_line,
    quota_root_line,
)
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.imap")

ROOT = "User quota"
"""The name of the one quota root, which is Dovecot's."""
UNIT_BYTES = 1024
"""What STORAGE counts (RFC 9208 §5.1)."""


class UnknownQuotaRootError(NotFoundError):
    """There is no such quota root, or it is another person's."""

    public = "no such quota root"


class QuotaNotSetHereError(NotAllowedError):
    """Quotas are the administrator's to set."""

    public = "quotas are set by the administrator"


async def get_quota(conversation: Conversation, command: GetQuota) -> Reply:
    """Answer GETQUOTA (RFC 9208 §4.1.1).

    Raises:
        UnknownQuotaRootError: the root is not this mailbox's.
    """
    if command.root != ROOT:
        raise UnknownQuotaRootError
    await _tell_quota(conversation)
    return Reply("Getquota completed")


async def get_quota_root(conversation: Conversation, command: GetQuotaRoot) -> Reply:
    """Answer GETQUOTAROOT: every folder, also one that is yet to be made, is under the one root.

    Folders of others are under theirs, of which nothing is told.
    """
    is_own = not is_name_of_others(command.mailbox)
    utf8 = conversation.connection.utf8
    conversation.send(quota_root_line(command.mailbox, (ROOT,) if is_own else (), utf8=utf8))
    if is_own:
        await _tell_quota(conversation)
    return Reply("Getquotaroot completed")


async def set_quota(_conversation: Conversation, _command: SetQuota) -> Reply:
    """Refuse SETQUOTA: the capability QUOTASET is not offered (RFC 9208 §4.1.3).

    Raises:
        QuotaNotSetHereError: always.
    """
    raise QuotaNotSetHereError


async def warn_if_nearly_full(conversation: Conversation) -> None:
    """Tell, behind a command that added mail, that there is little room left (RFC 9208 §4.3.1).

    The mail is stored: what fails here must not have the command refused.
    """
    try:
        use = await conversation.context.database.read(mailbox_use, conversation.mailbox_id)
    except (FolderNotFoundError, StorageError):
        log.exception("quota not read")
        return
    if use.percent >= WARNING_PERCENTS[-1]:
        conversation.send(
            response.untagged_no(f"Your mailbox is {use.percent} % full", response_code.OVERQUOTA)
        )


async def _tell_quota(conversation: Conversation) -> None:
    use = await conversation.context.database.read(mailbox_use, conversation.mailbox_id)
    conversation.send(quota_line(ROOT, _resources(use)))


def _resources(use: Use) -> list[QuotaResource]:
    if use.limit_bytes is None:
        return []
    used = (use.used_bytes + UNIT_BYTES - 1) // UNIT_BYTES
    return [QuotaResource("STORAGE", used, use.limit_bytes // UNIT_BYTES)]
