"""What can go wrong with folders beside what `modules.mail.errors` names."""

from freehold.errors import FreeholdError, InvalidValueError, NotAllowedError


class FolderNameError(InvalidValueError):
    """The name cannot be a folder's."""

    public = "not a valid folder name"


class FolderHasChildrenError(FreeholdError):
    """The folder is only kept for its children, and has some."""

    public = "folder has children: delete them first"


class FolderNotSelectableError(FreeholdError):
    """The name is only there for its children and holds no messages."""

    public = "folder holds no messages, only other folders"


class SpecialUseError(InvalidValueError):
    """The special use is unknown or taken (RFC 6154 §3)."""

    public = "this special use is not available"


class InboxError(NotAllowedError):
    """INBOX always exists."""

    public = "INBOX cannot be deleted"


class TooManyKeywordsError(FreeholdError):
    """A message would carry more keywords than allowed."""

    public = "too many keywords on one message"


class RightMissingError(NotAllowedError):
    """The one who asks has not the right to do this with a folder that they may know of."""

    public = "you have not the right to do this"


class TooManySharesError(FreeholdError):
    """A folder would be shared with more people than allowed."""

    public = "the folder is shared with too many people"
