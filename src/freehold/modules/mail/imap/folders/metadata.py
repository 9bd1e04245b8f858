"""GETMETADATA and SETMETADATA (RFC 5464), for folders and for the server."""

from collections.abc import Iterator

from freehold.errors import NotAllowedError
from freehold.modules.mail.folders.access import open_selectable
from freehold.modules.mail.folders.metadata import (
    SERVER,
    MetadataLimits,
    MetadataPlace,
    TooManyEntriesError,
    ValueTooLongError,
    is_private,
    read_below,
    read_entry,
    write_entries,
)
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.settings import ImapSettings
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.metadata import (
    TOO_MANY,
    Depth,
    GetMetadata,
    SetMetadata,
    long_entries,
    max_size,
    metadata_line,
)
from freehold.storage.database import Transaction

Entries = list[tuple[str, bytes | None]]


class ServerEntryError(NotAllowedError):
    """What is said of the server to all is the administrator's."""

    public = "shared entries of the server are set by the administrator"


async def get_metadata(conversation: Conversation, command: GetMetadata) -> Reply:
    """Answer GETMETADATA; an entry without a value is NIL, as Dovecot has it (RFC 5464 §4.2).

    Raises:
        FolderNotFoundError, RightMissingError: there is no such folder to be read by this person.
    """
    found = await conversation.context.database.read(
        _read, conversation.mailbox_id, command, _of_server(conversation.context.settings)
    )
    kept_back = 0
    told: Entries = []
    for entry, value in found:
        if value is not None and command.max_octets is not None and len(value) > command.max_octets:
            kept_back = max(kept_back, len(value))
        else:
            told.append((entry, value))
    if told:
        utf8 = conversation.connection.utf8
        conversation.send(metadata_line(command.mailbox, told, utf8=utf8))
        await conversation.peer.flush()
    return Reply("Getmetadata completed", long_entries(kept_back) if kept_back else None)


async def set_metadata(conversation: Conversation, command: SetMetadata) -> Reply:
    """Answer SETMETADATA: all entries are set, or none (RFC 5464 §4.3).

    Raises:
        FolderNotFoundError, RightMissingError: there is no such folder that this person may write about.
        ServerEntryError: a shared entry of the server is not set here.
    """
    settings = conversation.context.settings
    limits = MetadataLimits(settings.max_metadata_bytes, settings.max_metadata_entries)
    try:
        place, modseq = await conversation.context.database.write(
            _write, conversation.mailbox_id, command, limits
        )
    except ValueTooLongError as error:
        return Reply(error.public, max_size(limits.value_bytes), Status.NO)
    except TooManyEntriesError as error:
        return Reply(error.public, TOO_MANY, Status.NO)
    if conversation.notify is not None:
        conversation.notify.annotated(place.folder_id, modseq)
    if place.folder_id == SERVER:
        conversation.server_metadata_changed()
    else:
        conversation.folder_changed(place.folder_id, modseq, mailbox_id=place.mailbox_id)
    return Reply("Setmetadata completed")


async def _read(
    tx: Transaction, person_id: int, command: GetMetadata, of_server: dict[str, bytes]
) -> Entries:
    place = await _place(tx, person_id, command.mailbox, Right.READ)
    found: dict[str, tuple[str, bytes | None]] = {}
    for entry, asked in {each.lower(): each for each in command.entries}.items():
        if place.folder_id == SERVER and not is_private(entry):
            values = dict(_select(of_server, entry, command.depth))
        else:
            values = await _read_stored(tx, place, entry, command.depth)
        if command.depth is Depth.NONE or entry in values:
            found[entry] = (asked, values.pop(entry, None))
        for name, value in values.items():
            found.setdefault(name, (name, value))
    return list(found.values())


async def _read_stored(tx: Transaction, place: MetadataPlace, entry: str, depth: Depth) -> dict[str, bytes]:
    value = await read_entry(tx, place, entry)
    values = {} if value is None else {entry: value}
    if depth is not Depth.NONE:
        values |= dict(await read_below(tx, place, entry, deep=depth is Depth.INFINITY))
    return values


def _select(values: dict[str, bytes], entry: str, depth: Depth) -> Iterator[tuple[str, bytes]]:
    for name, value in values.items():
        rest = name.removeprefix(entry + "/")
        if name == entry or (rest != name and _reaches(depth, rest)):
            yield name, value


def _reaches(depth: Depth, rest: str) -> bool:
    return depth is Depth.INFINITY or (depth is Depth.ONE and "/" not in rest)


async def _write(
    tx: Transaction, person_id: int, command: SetMetadata, limits: MetadataLimits
) -> tuple[MetadataPlace, int]:
    values = {entry.lower(): value for entry, value in command.values}
    shares = not all(map(is_private, values))
    if shares and not command.mailbox:
        raise ServerEntryError
    needed = Right.READ | Right.WRITE if shares else Right.READ
    place = await _place(tx, person_id, command.mailbox, needed)
    return place, await write_entries(tx, place, values, limits)


async def _place(tx: Transaction, person_id: int, mailbox: str, needed: Right) -> MetadataPlace:
    """Return what a name means: the empty one is the server (RFC 5464 §4.1)."""
    if not mailbox:
        return MetadataPlace(person_id, SERVER, person_id)
    access = await open_selectable(tx, person_id, mailbox, needed)
    return MetadataPlace(access.mailbox_id, access.folder.id, person_id)


def _of_server(settings: ImapSettings) -> dict[str, bytes]:
    """Return what the server says of itself to all (RFC 5464 §3.2.1.1)."""
    said = {"/shared/admin": settings.admin_uri, "/shared/comment": settings.server_comment}
    return {entry: text.encode() for entry, text in said.items() if text}
