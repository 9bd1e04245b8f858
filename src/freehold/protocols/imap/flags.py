r"""Message flags: system flags in their one spelling, keywords as the client wrote them (RFC 9051 §2.3.2)."""

import re

from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_KEYWORD_BYTES

ANSWERED = "\\Answered"
DELETED = "\\Deleted"
DRAFT = "\\Draft"
FLAGGED = "\\Flagged"
RECENT = "\\Recent"
SEEN = "\\Seen"

SYSTEM_FLAGS = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)
"""Those that a client may set."""

_CANONICAL = {flag.encode().upper(): flag for flag in (*SYSTEM_FLAGS, RECENT)}
# flag-keyword = atom
_KEYWORD = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')


def parse_flag(raw: bytes) -> str:
    r"""Read one flag; `\Recent` is accepted and left to the caller, who ignores it.

    Raises:
        CommandError: an unknown system flag, or no atom.
    """
    if raw.startswith(b"\\"):
        flag = _CANONICAL.get(raw.upper())
        if flag is None:
            raise CommandError("unknown system flag")
        return flag
    return parse_keyword(raw)


def parse_keyword(raw: bytes) -> str:
    """Read one keyword.

    Raises:
        CommandError: it is no atom, or too long.
    """
    if len(raw) > MAX_KEYWORD_BYTES or not _KEYWORD.fullmatch(raw):
        raise CommandError("invalid keyword")
    return raw.decode("ascii")
