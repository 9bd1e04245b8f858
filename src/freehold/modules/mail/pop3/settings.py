"""Settings of reading mail over POP3 (section `[mail.pop3]`)."""

from typing import Annotated

import msgspec
from msgspec import Meta

LEAST_IDLE_SECONDS = 600
"""RFC 1939 §3 allows no shorter one."""


class Pop3Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of POP3 sessions; times in seconds."""

    login_seconds: Annotated[float, Meta(gt=0)] = 180.0
    """How long a client may stay silent before it has logged in."""
    idle_seconds: Annotated[float, Meta(ge=LEAST_IDLE_SECONDS)] = 600.0
    """How long a client may stay silent after that."""
    max_login_failures: Annotated[int, Meta(ge=1)] = 4
    """Failed logins of one connection before it is closed."""
    max_bad_commands: Annotated[int, Meta(ge=1)] = 20
    """Commands in a row that are not understood before the connection is closed."""
