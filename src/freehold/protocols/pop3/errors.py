"""What makes a line no command; it never leaves this package: the connection turns it into an event."""

from freehold.errors import InvalidValueError


class CommandError(InvalidValueError):
    """One line cannot be understood or is out of order; `public` is what the client is told."""

    public = "Syntax error"
