"""Settings of reading mail over IMAP (section `[mail.imap]`)."""

import msgspec

MEBIBYTE = 1024 * 1024


class ImapSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of IMAP sessions; sizes in bytes, times in seconds."""

    max_message_bytes: int = 50 * MEBIBYTE
    """Largest message that may be appended, announced with APPENDLIMIT (RFC 7889)."""
    login_seconds: float = 180.0
    """How long a client may stay silent before it has logged in."""
    idle_seconds: float = 1800.0
    """How long a client may stay silent after that; 1800 at the least (RFC 9051 §5.4)."""
    max_login_failures: int = 4
    """Failed logins of one connection before it is closed."""
    max_bad_commands: int = 20
    """Commands in a row that are not understood before the connection is closed."""
    max_metadata_bytes: int = 16 * 1024
    """Longest value of an annotation (RFC 5464)."""
    max_metadata_entries: int = 500
    """Private annotations of one person, and shared ones of one mailbox's folders, at the most."""
    admin_uri: str = ""
    """How to reach the administrator, such as `mailto:postmaster@example.org`; told as /shared/admin."""
    server_comment: str = ""
    """What people are told of the server as /shared/comment."""
