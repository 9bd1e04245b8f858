"""Make, delete, rename and subscribe to folders by the names that a person has for them (RFC 4314 §4)."""

from freehold.modules.mail.errors import FolderFullError
from freehold.modules.mail.folders.access import (
    open_access,
    place_for_new,
    shared_name,
    split_shared_name,
)
from freehold.modules.mail.folders.create import create_folder
from freehold.modules.mail.folders.delete import delete_folder
from freehold.modules.mail.folders.errors import FolderNameError, RightMissingError, SpecialUseError
from freehold.modules.mail.folders.metadata import copy_entries
from freehold.modules.mail.folders.names import DELIMITER, INBOX, is_name_of_others, new_name
from freehold.modules.mail.folders.read import find_folder
from freehold.modules.mail.folders.rename import rename_folder
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.folders.subscribe import subscribe, subscribe_to_name, unsubscribe
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction


async def create_for(
    tx: Transaction, person_id: int, name: str, *, special_use: str, now_ms: int
) -> tuple[int, int]:
    """Make a folder where the person may; returns its id and whose mailbox it is in.

    Raises:
        FolderNotFoundError, RightMissingError: as `place_for_new`.
        SpecialUseError: one was asked for in the mailbox of another, or as `create_folder`.
        FolderNameError, FolderExistsError, FolderFullError: as `create_folder`.
    """
    place = await place_for_new(tx, person_id, name)
    if special_use and place.mailbox_id != person_id:
        raise SpecialUseError
    folder_id = await create_folder(tx, place.mailbox_id, place.name, special_use=special_use, now_ms=now_ms)
    return folder_id, place.mailbox_id


async def delete_for(tx: Transaction, blobs: BlobStore, person_id: int, name: str) -> tuple[int, int]:
    """Delete a folder if the person may; returns the id that it had and whose mailbox it was in.

    Raises:
        FolderNotFoundError, RightMissingError: as `open_access`.
        InboxError, FolderHasChildrenError: as `delete_folder`.
    """
    access = await open_access(tx, person_id, name, Right.REMOVE)
    return await delete_folder(tx, blobs, access.mailbox_id, access.folder.name), access.mailbox_id


async def rename_for(
    tx: Transaction, person_id: int, name: str, to_name: str, *, now_ms: int, max_annotations: int
) -> tuple[int, int]:
    """Rename a folder if the person may; returns its id and whose mailbox it is in.

    Annotations of INBOX stay and are copied, unless there would be more than `max_annotations` then.

    Raises:
        FolderNotFoundError, RightMissingError: as `open_access` and `place_for_new`.
        FolderNameError: the new name is with another person, or as `rename_folder`.
        FolderExistsError: as `rename_folder`.
    """
    access = await open_access(tx, person_id, name, Right.REMOVE)
    if access.reader_id and access.folder.name == INBOX:
        raise RightMissingError
    place = await place_for_new(tx, person_id, to_name)
    if place.mailbox_id != access.mailbox_id:
        raise FolderNameError("a folder cannot be moved to another person")
    folder_id = await rename_folder(tx, access.mailbox_id, access.folder.name, place.name, now_ms=now_ms)
    if access.folder.name == INBOX:
        target = await find_folder(tx, access.mailbox_id, new_name(place.name))
        await copy_entries(tx, access.mailbox_id, folder_id, target, max_entries=max_annotations)
    return folder_id, access.mailbox_id


async def subscribe_for(tx: Transaction, person_id: int, name: str) -> None:
    """Subscribe to a folder that the person may know of; subscriptions are the person's alone.

    Raises:
        FolderNotFoundError: no such folder.
        FolderFullError: too many folders of others, or deleted ones, are subscribed to.
    """
    if not is_name_of_others(name):
        await subscribe(tx, person_id, name)
        return
    await open_access(tx, person_id, name.removesuffix(DELIMITER), Right.LOOKUP)
    if not await subscribe_to_name(tx, person_id, _one_spelling(name)):
        raise FolderFullError


async def unsubscribe_for(tx: Transaction, person_id: int, name: str) -> None:
    """End a subscription; it is no error if there was none."""
    await unsubscribe(tx, person_id, _one_spelling(name) if is_name_of_others(name) else name)


def _one_spelling(name: str) -> str:
    shared = split_shared_name(name.removesuffix(DELIMITER))
    return shared_name(shared.address, shared.folder)
