"""What can go wrong in a session, and which reply each error of mail becomes."""

from collections.abc import Iterator
from contextlib import contextmanager

from freehold.accounts.errors import LoginFailedError, LoginsBusyError
from freehold.errors import (
    AlreadyExistsError,
    FreeholdError,
    InvalidValueError,
    NotAllowedError,
    NotFoundError,
)
from freehold.kernel.log import get_logger
from freehold.modules.mail.errors import (
    FolderFullError,
    MailboxDisabledError,
    MessageTooLargeError,
    QuotaExceededError,
)
from freehold.modules.mail.folders.errors import (
    FolderHasChildrenError,
    FolderNotSelectableError,
    SpecialUseError,
    TooManyKeywordsError,
    TooManySharesError,
)
from freehold.protocols.imap import response_code as code
from freehold.storage.blobs import BlobMissingError
from freehold.storage.database import StorageError

log = get_logger("freehold.mail.imap")


class SessionOverError(FreeholdError):
    """The session cannot go on; the client is told why and the connection closed."""


class AccessEndedError(SessionOverError):
    """The mailbox or its login was disabled or removed while somebody used it."""

    public = "the mailbox is no longer available"


class FolderClosedError(SessionOverError):
    """The selected folder was removed, or its mailbox disabled."""

    public = "the selected folder is no longer available"


class NotToldError(SessionOverError):
    """A change was stored, but what became of it cannot be told: NO would say that nothing was changed."""

    public = "the command was carried out, but its result cannot be told"


class ReadOnlyError(NotAllowedError):
    """The folder was opened by EXAMINE."""

    public = "mailbox was opened read-only"


class PrivacyRequiredError(NotAllowedError):
    """A password would go over the network in plain text."""

    public = "start TLS first: passwords are not taken in plain text"


class NoMailboxError(NotAllowedError):
    """The login is right but has no mailbox."""

    public = "this login has no mailbox"


class NotSavedError(FreeholdError):
    """The result of a search is scattered over too many runs of messages to be saved (RFC 5182 §2.1)."""

    public = "the result is too scattered to be saved"


class TooManyToSortError(FreeholdError):
    """More messages match than are sorted or threaded at once."""

    public = "too many messages to sort"


class TargetMissingError(NotFoundError):
    """The folder that a message should go to does not exist; the client may make it."""

    public = "no such folder"


class UidRequiredError(NotAllowedError):
    """A message number was named where only UIDs are in use; answered by BAD (RFC 9586 §3)."""

    public = "UIDONLY is in force"


class BadUrlError(InvalidValueError):
    """A URL of CATENATE is malformed, or names nothing that the person may read (RFC 4469 §4.1)."""

    public = "the URL names nothing that can be read"

    def __init__(self, url: bytes) -> None:
        super().__init__()
        self.url = url


@contextmanager
def telling() -> Iterator[None]:
    """Guard what follows the commit of a change.

    Raises:
        NotToldError: storage failed.
    """
    try:
        yield
    except StorageError as error:
        log.exception("result of a change not told")
        raise NotToldError from error


# The most specific class comes first.
_CODES: tuple[tuple[type[FreeholdError], bytes], ...] = (
    (TargetMissingError, code.TRYCREATE),
    (ReadOnlyError, code.READ_ONLY),
    (NotSavedError, code.NOTSAVED),
    (TooManyToSortError, code.LIMIT),
    (UidRequiredError, code.UIDREQUIRED),
    (PrivacyRequiredError, code.PRIVACYREQUIRED),
    (NoMailboxError, code.AUTHORIZATIONFAILED),
    (MailboxDisabledError, code.AUTHORIZATIONFAILED),
    (LoginFailedError, code.AUTHENTICATIONFAILED),
    (LoginsBusyError, code.UNAVAILABLE),
    (QuotaExceededError, code.OVERQUOTA),
    (MessageTooLargeError, code.TOOBIG),
    (FolderFullError, code.LIMIT),
    (TooManyKeywordsError, code.LIMIT),
    (TooManySharesError, code.LIMIT),
    (BlobMissingError, code.CORRUPTION),
    (FolderHasChildrenError, code.HASCHILDREN),
    (FolderNotSelectableError, code.NONEXISTENT),
    (SpecialUseError, code.USEATTR),
    (InvalidValueError, code.CANNOT),
    (NotFoundError, code.NONEXISTENT),
    (AlreadyExistsError, code.ALREADYEXISTS),
    (NotAllowedError, code.NOPERM),
)


def code_of(error: FreeholdError) -> bytes | None:
    """Return the response code for an error (RFC 5530, RFC 9051 §7.1), or None."""
    if isinstance(error, BadUrlError):
        return code.bad_url(error.url)
    for kind, name in _CODES:
        if isinstance(error, kind):
            return name
    return code.UNAVAILABLE if error.temporary else code.SERVERBUG
