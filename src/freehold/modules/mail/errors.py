"""What can go wrong with mail, apart from any protocol."""

from freehold.errors import AlreadyExistsError, FreeholdError, NotFoundError


class UnknownAddressError(NotFoundError):
    """No such address in a domain of ours."""

    public = "no such address here"


class RelayDeniedError(FreeholdError):
    """The domain is not ours and the client may not relay."""

    public = "relaying denied: log in on the submission port to send elsewhere"


class AddressLoopError(FreeholdError):
    """Aliases lead in a circle or are deeper than allowed."""

    public = "the address is configured in a loop"


class MailboxDisabledError(FreeholdError):
    """The mailbox or its domain is switched off."""

    public = "mailbox is disabled"


class QuotaExceededError(FreeholdError):
    """The mailbox is full."""

    public = "mailbox is full"
    temporary = True


class OwnerQuotaExceededError(QuotaExceededError):
    """The mailboxes of one owner together hold as much as they may."""

    public = "the storage shared by the mailboxes of this owner is full"


class LargerThanQuotaError(QuotaExceededError):
    """The message alone is more than the mailbox may hold: it never gets in."""

    public = "message is larger than the mailbox may be"
    temporary = False


class MessageTooLargeError(FreeholdError):
    """The message exceeds a fixed limit."""

    public = "message is too large"


class FolderNotFoundError(NotFoundError):
    """The folder does not exist."""

    public = "no such folder"


class FolderExistsError(AlreadyExistsError):
    """The folder name is taken."""

    public = "folder already exists"


class FolderFullError(FreeholdError):
    """The folder has used up its UIDs, or the mailbox has too many folders."""

    public = "folder limit reached"
