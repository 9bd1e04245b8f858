"""Errors that every layer may raise; none knows a wire protocol."""


class FreeholdError(Exception):
    """An expected failure.

    `public` is safe to show to a stranger and says what to do next; `temporary` says that the same
    request may succeed later.
    """

    public = "internal error"
    temporary = False

    def __init__(self, public: str | None = None) -> None:
        if public is not None:
            self.public = public
        super().__init__(self.public)


class NotFoundError(FreeholdError):
    """The named thing does not exist."""

    public = "not found"


class AlreadyExistsError(FreeholdError):
    """The name is taken."""

    public = "already exists"


class InvalidValueError(FreeholdError):
    """A value is malformed or out of range."""

    public = "invalid value"


class NotAllowedError(FreeholdError):
    """The one who asks may not do this."""

    public = "not allowed"
