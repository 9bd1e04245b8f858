"""Names of the service extensions that this package speaks."""

from enum import Enum


class Extension(Enum):
    """An EHLO keyword."""

    PIPELINING = "PIPELINING"
    SIZE = "SIZE"
    EIGHT_BIT_MIME = "8BITMIME"
    SMTPUTF8 = "SMTPUTF8"
    CHUNKING = "CHUNKING"
    DSN = "DSN"
    ENHANCED_STATUS_CODES = "ENHANCEDSTATUSCODES"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"


DEFAULT_EXTENSIONS = frozenset(
    {
        Extension.PIPELINING,
        Extension.SIZE,
        Extension.EIGHT_BIT_MIME,
        Extension.SMTPUTF8,
        Extension.CHUNKING,
        Extension.DSN,
        Extension.ENHANCED_STATUS_CODES,
    }
)
"""What a server offers to everyone, apart from STARTTLS and AUTH, which depend on the channel."""
