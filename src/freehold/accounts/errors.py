"""What can go wrong with owners, domains and logins."""

from freehold.errors import (
    AlreadyExistsError,
    FreeholdError,
    InvalidValueError,
    NotAllowedError,
    NotFoundError,
)


class OwnerNotFoundError(NotFoundError):
    """No such owner, or not one that the asker may see."""

    public = "no such owner"


class OwnerExistsError(AlreadyExistsError):
    """The owner's name is taken."""

    public = "an owner of this name already exists"


class DomainNotFoundError(NotFoundError):
    """No such domain, or not one that the asker may see."""

    public = "no such domain"


class DomainExistsError(AlreadyExistsError):
    """The domain is here already."""

    public = "the domain already exists"


class LoginNotFoundError(NotFoundError):
    """No such login, or not one that the asker may see."""

    public = "no such login"


class LoginExistsError(AlreadyExistsError):
    """The login name is taken."""

    public = "the login name is taken"


class AppPasswordNotFoundError(NotFoundError):
    """No such app password of this login."""

    public = "no such app password"


class InUseError(NotAllowedError):
    """Something that other things rest on cannot be removed before them."""

    public = "still in use"


class LimitReachedError(NotAllowedError):
    """The owner's limit leaves no room."""

    public = "the owner's limit is reached"


class InvalidDomainNameError(InvalidValueError):
    """The text is not a domain name that mail could be for."""

    public = "not a valid domain name"


class WeakPasswordError(InvalidValueError):
    """The password is too short, too long or has characters that cannot be typed everywhere."""

    public = "the password is not acceptable"


class LoginFailedError(FreeholdError):
    """The login name or the password is wrong, or the login may not be used for this."""

    public = "login failed: name or password is wrong"


class LoginsBusyError(FreeholdError):
    """More passwords wait to be checked than can be soon, or this client has guessed too often."""

    public = "too many logins at the moment: try again later"
    temporary = True
