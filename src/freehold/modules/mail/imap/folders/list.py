r"""LIST with its extensions, and LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590).

A name that exists only for its children is \Noselect, one that is only subscribed to is \NonExistent.
"""

from collections.abc import Sequence

from freehold.modules.mail.folders.names import parents
from freehold.modules.mail.folders.rights import rights_text
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.folders.list_metadata import metadata_lines
from freehold.modules.mail.imap.folders.list_tree import Entry, Tree, matches_any, read_tree
from freehold.modules.mail.imap.folders.status import complete_status, look_at_messages
from freehold.protocols.imap import data_response
from freehold.protocols.imap.acl import my_rights_line
from freehold.protocols.imap.list import ListMailboxes, ListReturn, ListSelection, ListSubscribed
from freehold.protocols.imap.list_pattern import ListPattern

FLUSH_LINES = 200
"""Lines that are written at once."""


async def list_mailboxes(conversation: Conversation, command: ListMailboxes) -> Reply:
    """Answer LIST."""
    if not command.extended and command.patterns == ("",):
        conversation.send(data_response.list_delimiter())
        return Reply("List completed")
    patterns = [ListPattern(command.reference, pattern) for pattern in command.patterns]
    database = conversation.context.database
    read = database.read_long if look_at_messages(command.status_items) else database.read
    tree = await read(read_tree, conversation.mailbox_id, patterns, command.status_items)
    below = _selected_below(tree, patterns) if ListSelection.RECURSIVEMATCH in command.selection else set()
    utf8 = conversation.connection.utf8
    lines: list[bytes] = []
    told: list[Entry] = []
    for entry in tree.entries:
        is_wanted = _is_selected(entry, command.selection)
        if not (is_wanted or entry.name in below) or not matches_any(entry.name, patterns):
            continue
        lines.append(
            data_response.list_line(
                _attributes(entry, command, is_wanted=is_wanted),
                entry.name,
                child_info=("SUBSCRIBED",) if entry.name in below else (),
                utf8=utf8,
            )
        )
        if entry.access is not None and is_wanted and ListReturn.MYRIGHTS in command.returns:
            lines.append(my_rights_line(entry.name, rights_text(entry.access.rights), utf8=utf8))
        values = tree.status.get(entry.name)
        if values is not None and is_wanted:
            complete_status(conversation, values)
            lines.append(data_response.status_line(entry.name, values, utf8=utf8))
        if is_wanted:
            told.append(entry)
        if len(lines) >= FLUSH_LINES:
            await _send(conversation, lines, told, command)
    await _send(conversation, lines, told, command)
    return Reply("List completed")


async def _send(
    conversation: Conversation, lines: list[bytes], told: list[Entry], command: ListMailboxes
) -> None:
    """Send lines, and what is wanted of the annotations of the names in them; both lists are empty then."""
    lines += await metadata_lines(conversation, told, command.metadata)
    conversation.send(b"".join(lines))
    lines.clear()
    told.clear()
    await conversation.peer.flush()


async def list_subscribed(conversation: Conversation, command: ListSubscribed) -> Reply:
    r"""Answer LSUB; with `%` a name above a subscribed one is told as \Noselect (RFC 3501 §6.3.9)."""
    if command.pattern is None:
        return Reply("Lsub completed")
    pattern = ListPattern(command.reference, command.pattern)
    tree = await conversation.context.database.read(read_tree, conversation.mailbox_id, [], ())
    subscribed = {entry.name for entry in tree.entries if entry.is_subscribed}
    above: set[str] = set()
    utf8 = conversation.connection.utf8
    if "%" in command.pattern:
        above = {parent for name in subscribed for parent in parents(name)} - subscribed
    for name in sorted(subscribed | above):
        if pattern.matches(name):
            conversation.send(
                data_response.lsub_line(("\\Noselect",) if name in above else (), name, utf8=utf8)
            )
    return Reply("Lsub completed")


def _is_selected(entry: Entry, selection: frozenset[ListSelection]) -> bool:
    if ListSelection.SUBSCRIBED in selection:
        if not entry.is_subscribed:
            return False
    elif entry.folder is None and not entry.is_level:
        return False
    if ListSelection.SPECIAL_USE in selection:
        return entry.folder is not None and bool(entry.folder.special_use)
    return True


def _selected_below(tree: Tree, patterns: Sequence[ListPattern]) -> set[str]:
    """Return the names above subscribed ones that no pattern matches (RFC 5258 §3.5)."""
    return {
        parent
        for entry in tree.entries
        if entry.is_subscribed and not matches_any(entry.name, patterns)
        for parent in parents(entry.name)
    }


def _attributes(entry: Entry, command: ListMailboxes, *, is_wanted: bool) -> list[str]:
    folder = entry.folder
    names = []
    if entry.is_level or (folder is not None and not folder.is_selectable):
        names.append("\\Noselect")
    elif folder is None:
        names.append("\\NonExistent")
    if folder is not None or entry.is_level:
        names.append("\\HasChildren" if entry.has_children else "\\HasNoChildren")
    wants_subscribed = (
        ListSelection.SUBSCRIBED in command.selection or ListReturn.SUBSCRIBED in command.returns
    )
    if wants_subscribed and entry.is_subscribed and is_wanted:
        names.append("\\Subscribed")
    wants_use = (
        not command.extended
        or ListReturn.SPECIAL_USE in command.returns
        or ListSelection.SPECIAL_USE in command.selection
    )
    if folder is not None and folder.special_use and wants_use:
        names.append(folder.special_use)
    return names
