"""All commands in one table, and the way from a command's text to its value.

A new family of commands is a new file and one line in `_FAMILIES`.
"""

import re

from freehold.protocols.imap import (
    acl,
    any_state,
    append,
    authenticate,
    cancel_update,
    compress,
    copy,
    enable,
    expunge,
    fetch,
    idle,
    mailbox,
    metadata,
    notify,
    quota,
    search,
    select,
    sort,
    status,
    store,
    thread,
)
from freehold.protocols.imap import list as list_mailboxes
from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.events import NO_TAG, BadCommand
from freehold.protocols.imap.limits import MAX_TAG_BYTES
from freehold.protocols.imap.states import State

_FAMILIES = (
    any_state.COMMANDS,
    authenticate.COMMANDS,
    enable.COMMANDS,
    compress.COMMANDS,
    select.COMMANDS,
    mailbox.COMMANDS,
    list_mailboxes.COMMANDS,
    acl.COMMANDS,
    status.COMMANDS,
    append.COMMANDS,
    idle.COMMANDS,
    fetch.COMMANDS,
    store.COMMANDS,
    search.COMMANDS,
    sort.COMMANDS,
    thread.COMMANDS,
    cancel_update.COMMANDS,
    copy.COMMANDS,
    expunge.COMMANDS,
    quota.COMMANDS,
    metadata.COMMANDS,
    notify.COMMANDS,
)
COMMANDS: dict[bytes, CommandSpec] = {spec.name: spec for family in _FAMILIES for spec in family}
_BY_VALUE: dict[type[Command], CommandSpec] = {spec.value: spec for spec in COMMANDS.values()}

# tag = 1*<any ASTRING-CHAR except "+">
_TAG = re.compile(rb'[^\x00-\x20(){%%*"\\+\x7f-\xff]{1,%d}(?= |\Z)' % MAX_TAG_BYTES)
_NAME = re.compile(rb" +(UID +)?([A-Za-z][A-Za-z0-9.=-]*)(?= |\Z)", re.IGNORECASE)


def read_tag(text: bytes | bytearray) -> bytes:
    """Give the tag at the start of a text, or `NO_TAG`."""
    match = _TAG.match(text)
    return NO_TAG if match is None else match[0]


def find_command(text: bytes | bytearray, state: State) -> tuple[bytes, CommandSpec, int] | BadCommand:
    """Read tag and name; gives the tag, the table's row, and where the arguments begin."""
    tag_match = _TAG.match(text)
    if tag_match is None:
        return BadCommand(NO_TAG, "a command begins with a tag" if text.strip() else "empty command")
    tag = tag_match[0]
    match = _NAME.match(text, tag_match.end())
    if match is None:
        return BadCommand(tag, "expected a command")
    name = match[2].upper() if match[1] is None else b"UID " + match[2].upper()
    spec = COMMANDS.get(name)
    if spec is None:
        return BadCommand(tag, "unknown command")
    if state not in spec.states:
        return BadCommand(tag, "command not allowed in this state", name=name)
    return tag, spec, match.end()


def parse_command(text: bytes, state: State, *, utf8: bool = False) -> Command | BadCommand:
    """Decode one command, without its last CRLF and with literals in place."""
    found = find_command(text, state)
    if isinstance(found, BadCommand):
        return found
    tag, spec, position = found
    try:
        return spec.parse(tag, Cursor(text, position, utf8=utf8))
    except CommandError as error:
        return rejection(tag, spec.name, error)


def rejection(tag: bytes, name: bytes, error: CommandError) -> BadCommand:
    """Turn what a parser found wrong into the event."""
    text = f"{name.decode('ascii')}: {error.public}"
    return BadCommand(tag, text, error.status, error.code, name, error.forgets_result)


def next_state(command: Command, state: State, *, ok: bool) -> State:
    """Give the state that a completed command leads to."""
    spec = _BY_VALUE[type(command)]
    return (spec.on_ok if ok else spec.on_no) or state
