"""Names of annotations (RFC 5464 §3.2), alone and in lists."""

import re

from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError

MAX_ENTRIES = 100
"""Entries that one command may name."""
MAX_ENTRY_BYTES = 256
"""Longest name of an entry."""

# Components behind slashes, without wildcards, controls and octets over 127.
_ENTRY = re.compile(rb"(?:/[^\x00-\x1f*%/\x7f-\xff]+)+")
_SCOPES = (b"/private", b"/shared")


def parse_entries(cursor: Cursor) -> tuple[str, ...]:
    """Take one entry or a parenthesised list of at least one."""
    if not cursor.looking_at(b"("):
        return (parse_entry(cursor),)
    entries = cursor.parenthesised(lambda: parse_entry(cursor), MAX_ENTRIES)
    if not entries:
        raise CommandError("expected an entry")
    return tuple(dict.fromkeys(entries))


def parse_entry(cursor: Cursor) -> str:
    """Take one entry of /private or /shared, as the client spells it."""
    raw = cursor.astring("an entry")
    if len(raw) > MAX_ENTRY_BYTES or not _ENTRY.fullmatch(raw):
        raise CommandError("invalid entry name")
    scope = b"/" + raw.split(b"/", 2)[1].lower()
    if scope not in _SCOPES:
        raise CommandError("an entry begins with /private or /shared")
    return raw.decode("ascii")
