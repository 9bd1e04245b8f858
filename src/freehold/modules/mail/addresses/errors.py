"""What can go wrong when mailboxes and aliases are changed."""

from freehold.errors import AlreadyExistsError, NotFoundError


class MailboxNotFoundError(NotFoundError):
    """No such mailbox, or not one that the asker may see."""

    public = "no such mailbox"


class AliasNotFoundError(NotFoundError):
    """No such alias, or not one that the asker may see."""

    public = "no such alias"


class AddressExistsError(AlreadyExistsError):
    """The address is taken."""

    public = "the address already exists"
