"""The one table from what can go wrong to what an SMTP client reads (RFC 5321 §4.2.3, RFC 3463)."""

from freehold.accounts.errors import LoginFailedError, LoginsBusyError
from freehold.errors import FreeholdError
from freehold.modules.mail.errors import (
    AddressLoopError,
    LargerThanQuotaError,
    MailboxDisabledError,
    MessageTooLargeError,
    QuotaExceededError,
    RelayDeniedError,
    UnknownAddressError,
)
from freehold.protocols.smtp.reply import Reply
from freehold.storage.database import StorageError, StorageFullError

_CODES: dict[type[FreeholdError], tuple[int, str]] = {
    UnknownAddressError: (550, "5.1.1"),
    RelayDeniedError: (550, "5.7.1"),
    AddressLoopError: (550, "5.4.6"),
    MailboxDisabledError: (550, "5.2.1"),
    LargerThanQuotaError: (552, "5.2.3"),
    QuotaExceededError: (452, "4.2.2"),
    MessageTooLargeError: (552, "5.3.4"),
    StorageFullError: (452, "4.3.1"),
    StorageError: (451, "4.3.0"),
    LoginFailedError: (535, "5.7.8"),
    LoginsBusyError: (454, "4.7.0"),
}

PIPELINING_REFUSED = Reply.of(503, "5.5.1", "Wait for my answer before you send more")
AUTHENTICATION_REQUIRED = Reply.of(530, "5.7.0", "Log in first")
TOO_MANY_RECIPIENTS = Reply.of(452, "4.5.3", "Too many recipients: send the rest in another message")
TOO_MANY_MESSAGES = Reply.of(421, "4.7.0", "Enough messages on this connection: connect again for more")
TOO_MANY_COMMANDS = Reply.of(421, "4.7.0", "Too many commands: connect again in a minute")
TOO_MANY_ERRORS = Reply.of(421, "4.7.0", "Too many errors: goodbye")
CONNECTION_TOO_OLD = Reply.of(421, "4.4.2", "This connection has lasted long enough: connect again")
SILENT_TOO_LONG = Reply.of(421, "4.4.2", "Silent for too long: goodbye")
SHUTTING_DOWN = Reply.of(421, "4.3.2", "Shutting down: try again in a moment")
SENDER_NOT_QUALIFIED = Reply.of(553, "5.1.8", "The sender's domain must be fully qualified")
SENDER_DOMAIN_UNKNOWN = Reply.of(550, "5.1.8", "The sender's domain does not exist")
SENDER_DOMAIN_UNRESOLVED = Reply.of(450, "4.1.8", "The sender's domain cannot be looked up now")
RECIPIENT_NOT_QUALIFIED = Reply.of(550, "5.1.3", "The recipient's domain must be fully qualified")
SENDER_NOT_OWNED = Reply.of(553, "5.7.1", "Your login may not send as this address")
FROM_NOT_OWNED = Reply.of(550, "5.7.1", "Your login may not send with this From address")
FROM_MISSING = Reply.of(550, "5.6.0", "The message has no From address")
LOOP_DETECTED = Reply.of(554, "5.4.6", "Too many Received lines: mail loop")


def reply_for(error: FreeholdError) -> Reply:
    """Return what the client is told of `error`; subclasses are answered as their nearest parent."""
    for kind in type(error).__mro__:
        codes = _CODES.get(kind)
        if codes is not None:
            return Reply.of(*codes, _sentence(error.public))
    code, enhanced = (451, "4.3.0") if error.temporary else (554, "5.0.0")
    return Reply.of(code, enhanced, _sentence(error.public))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
