"""What can go wrong in a session, and which response code each error becomes."""

from freehold.accounts.errors import LoginFailedError, LoginsBusyError
from freehold.errors import FreeholdError, NotAllowedError, NotFoundError
from freehold.modules.mail.errors import MailboxDisabledError
from freehold.protocols.pop3.reply import ResponseCode


class NoSuchMessageError(NotFoundError):
    """The number is none of this maildrop's, or is marked as deleted."""

    public = "no such message"


class MessageGoneError(NotFoundError):
    """The message was removed by somebody else since this session began."""

    public = "the message has been removed meanwhile"


class NoMailboxError(NotAllowedError):
    """The login is right but has no mailbox."""

    public = "this login has no mailbox"


class PrivacyRequiredError(NotAllowedError):
    """A password would go over the network in plain text."""

    public = "start TLS first: passwords are not taken in plain text"


class MechanismError(NotAllowedError):
    """The mechanism is not offered."""

    public = "authentication mechanism is not offered"


class AccessEndedError(NotAllowedError):
    """The mailbox or its login was disabled or removed while somebody used it; the session is over."""

    public = "the mailbox is no longer available"


_CODES: dict[type[FreeholdError], ResponseCode | None] = {
    LoginFailedError: ResponseCode.AUTH,
    LoginsBusyError: ResponseCode.SYS_TEMP,
    MailboxDisabledError: ResponseCode.AUTH,
    NoMailboxError: ResponseCode.AUTH,
    PrivacyRequiredError: ResponseCode.AUTH,
    AccessEndedError: ResponseCode.SYS_PERM,  # AUTH is for who is logging in (RFC 3206 §5)
    NotAllowedError: None,
    NotFoundError: None,
}


def code_of(error: FreeholdError) -> ResponseCode | None:
    """Return an error's response code (RFC 3206 §4, RFC 3206 §5); a subclass has its nearest parent's."""
    for kind in type(error).__mro__:
        if kind in _CODES:
            return _CODES[kind]
    return ResponseCode.SYS_TEMP if error.temporary else ResponseCode.SYS_PERM
