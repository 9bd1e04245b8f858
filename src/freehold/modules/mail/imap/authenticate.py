"""LOGIN and AUTHENTICATE: who talks, and which mailbox is theirs (RFC 9051 §6.2)."""

from freehold.accounts.errors import LoginFailedError
from freehold.accounts.model import Identity, Use
from freehold.kernel.log import get_logger
from freehold.modules.mail.errors import MailboxDisabledError
from freehold.modules.mail.imap.any_state import capabilities
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.errors import AccessEndedError, NoMailboxError, PrivacyRequiredError
from freehold.modules.mail.imap.sync import refresh_rights
from freehold.modules.mail.sasl_login import MECHANISMS, SaslLogin
from freehold.protocols.imap import response_code
from freehold.protocols.imap.authenticate import Authenticate, Login
from freehold.protocols.imap.errors import Status
from freehold.storage.database import Row, Transaction

log = get_logger("freehold.mail.imap")

_PROOF_ONLY = frozenset({"SCRAM-SHA-256"})


class Exchange:
    """One AUTHENTICATE under way."""

    __slots__ = ("_login", "command")

    def __init__(self, conversation: Conversation, command: Authenticate) -> None:
        self.command = command
        self._login = SaslLogin(
            conversation.context.authenticator, Use.IMAP, command.mechanism, conversation.peer.address
        )

    async def step(self, conversation: Conversation, response: bytes) -> Reply | bytes:
        """Take the client's response; returns the next challenge, or the tagged reply.

        Raises:
            LoginFailedError: the exchange or the credentials are wrong.
            LoginsBusyError: this client guesses, or too many logins are being checked.
        """
        step = await self._login.step(response)
        return await _enter(conversation, step) if isinstance(step, Identity) else step


def begin_exchange(conversation: Conversation, command: Authenticate) -> Exchange | Reply:
    """Return the exchange of a mechanism that is offered, or the refusal.

    Raises:
        PrivacyRequiredError: the mechanism sends the password, and TLS is not in force.
    """
    if command.mechanism not in MECHANISMS:
        return Reply("unknown authentication mechanism", response_code.CANNOT, Status.NO)
    if command.mechanism not in _PROOF_ONLY and not is_private(conversation):
        raise PrivacyRequiredError
    return Exchange(conversation, command)


async def login(conversation: Conversation, command: Login) -> Reply:
    """Answer LOGIN.

    Raises:
        PrivacyRequiredError: TLS is not in force.
        LoginFailedError: name or password is wrong.
    """
    if not is_private(conversation):
        raise PrivacyRequiredError
    try:
        user, password = command.user.decode(), command.password.decode()
    except UnicodeDecodeError as error:
        raise LoginFailedError from error
    return await _log_in(conversation, user, password)


async def _log_in(conversation: Conversation, user: str, password: str) -> Reply:
    identity = await conversation.context.authenticator.authenticate(
        login=user, password=password, use=Use.IMAP, client=conversation.peer.address
    )
    return await _enter(conversation, identity)


async def _enter(conversation: Conversation, identity: Identity) -> Reply:
    """Open the mailbox of someone who proved who they are."""
    mailbox_id = await conversation.context.database.read(_mailbox_of, identity.login_id)
    conversation.mailbox_id = mailbox_id
    log.info("logged in", login=identity.login, client=str(conversation.peer.address))
    return Reply("Logged in", response_code.capability(capabilities(conversation)))


async def check_access(conversation: Conversation) -> None:
    """Check that who logged in may still be here: what an owner decides is in force at once.

    The rights on the open folder are read anew if it is shared; for others this is one statement.

    Raises:
        AccessEndedError: the mailbox or the login was disabled or removed.
        FolderClosedError: the open folder may no longer be read.
    """
    if not conversation.mailbox_id:
        return
    folder_id = 0 if conversation.view is None else conversation.view.folder_id
    row = await conversation.context.database.read(_read_access, conversation.mailbox_id, folder_id)
    if row is None or row[0] or row[1]:
        raise AccessEndedError
    await refresh_rights(conversation, is_shared=bool(row[2]))


async def _read_access(tx: Transaction, mailbox_id: int, folder_id: int) -> Row | None:
    """Return whether the mailbox and its login are disabled, and whether the open folder is shared."""
    return await tx.fetch_one(
        "SELECT m.is_disabled, l.is_disabled, f.is_shared FROM mailbox AS m JOIN login AS l"
        " ON l.id = m.login_id LEFT JOIN folder AS f ON f.id = ? WHERE m.id = ?",
        folder_id,
        mailbox_id,
    )


async def _mailbox_of(tx: Transaction, login_id: int) -> int:
    row = await tx.fetch_one("SELECT id, is_disabled FROM mailbox WHERE login_id = ?", login_id)
    if row is None:
        raise NoMailboxError
    if row[1]:
        raise MailboxDisabledError
    return int(row[0])


def is_private(conversation: Conversation) -> bool:
    """Tell whether a password may be sent: under TLS, or without leaving the host."""
    return conversation.peer.tls is not None or conversation.peer.address.is_loopback
