r"""What is expunged moves to Trash where the mailbox asks for it, and is gone in Trash itself."""

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import set_keeps_trash
from freehold.modules.mail.folders.create import create_folder
from freehold.modules.mail.folders.delete import delete_folder
from freehold.modules.mail.folders.expunge import ALL_UIDS, Expunged, expunge_messages
from freehold.modules.mail.folders.read import list_folders
from freehold.modules.mail.model import Flag
from freehold.storage.database import Row, Transaction
from tests.mail_host import MailHost
from tests.modules.mail.folders.store import NOW_MS, Box, open_box

LATER_MS = NOW_MS + 1000


async def trashing_box(host: MailHost) -> Box:
    await host.runtime.database.write(
        set_keeps_trash, HOST_ADMINISTRATOR, "ann@example.test", keeps_trash=True
    )
    return await open_box(host, "ann@example.test")


async def expunge(box: Box, name: str, *, only_deleted: bool = True) -> Expunged:
    runtime = box.host.runtime
    folder = await box.folder(name)
    return await runtime.database.write(
        expunge_messages,
        runtime.blobs,
        (box.mailbox_id, folder.id),
        ALL_UIDS,
        now_ms=LATER_MS,
        only_deleted=only_deleted,
    )


async def rows_of(tx: Transaction, mailbox_id: int) -> list[Row]:
    return await tx.fetch(
        "SELECT f.name, m.flags, m.saved_ms, m.blob_id FROM message AS m JOIN folder AS f"
        " ON f.mailbox_id = m.mailbox_id AND m.id / 4294967296 = f.id"
        " WHERE m.mailbox_id = ? ORDER BY m.id",
        mailbox_id,
    )


async def test_deleted_messages_move_to_trash_without_the_mark_and_the_others_stay(
    any_host: MailHost,
) -> None:
    box = await trashing_box(any_host)
    _, gone = await box.append("INBOX", flags=Flag.DELETED | Flag.SEEN)
    _, stays = await box.append("INBOX")
    done = await expunge(box, "INBOX")
    trash = await box.folder("Trash")
    assert (done.uids, done.trash_id, done.made_trash) == ([(1, 1)], trash.id, False)
    rows = await any_host.runtime.database.read(rows_of, box.mailbox_id)
    assert rows == [("INBOX", 0, NOW_MS, stays), ("Trash", Flag.SEEN, LATER_MS, gone)]
    assert (trash.message_count, trash.unseen_count, trash.modseq) == (1, 0, done.modseq)
    assert (await box.folder("INBOX")).message_count == 1


async def test_in_trash_and_below_it_messages_go_for_good(any_host: MailHost) -> None:
    box = await trashing_box(any_host)
    await any_host.runtime.database.write(create_folder, box.mailbox_id, "Trash/old", now_ms=NOW_MS)
    for name in ("Trash", "Trash/old"):
        await box.append(name, flags=Flag.DELETED)
        assert (await expunge(box, name)).trash_id == 0
        assert (await box.folder(name)).message_count == 0


async def test_what_is_replaced_goes_for_good(any_host: MailHost) -> None:
    box = await trashing_box(any_host)
    await box.append("INBOX", flags=Flag.DELETED)
    assert (await expunge(box, "INBOX", only_deleted=False)).trash_id == 0
    assert (await box.folder("Trash")).message_count == 0


async def test_without_the_setting_messages_go_for_good(any_host: MailHost) -> None:
    box = await open_box(any_host, "bob@example.test")
    await box.append("INBOX", flags=Flag.DELETED)
    assert (await expunge(box, "INBOX")).trash_id == 0
    assert (await box.folder("Trash")).message_count == 0


async def test_trash_is_made_if_it_is_missing(any_host: MailHost) -> None:
    box = await trashing_box(any_host)
    runtime = any_host.runtime
    await runtime.database.write(delete_folder, runtime.blobs, box.mailbox_id, "Trash")
    await box.append("INBOX", flags=Flag.DELETED)
    done = await expunge(box, "INBOX")
    trash = await box.folder("Trash")
    assert (done.trash_id, done.made_trash) == (trash.id, True)
    assert (trash.special_use, trash.message_count) == ("\\Trash", 1)


async def test_a_folder_named_trash_without_special_use_is_taken(any_host: MailHost) -> None:
    box = await trashing_box(any_host)
    runtime = any_host.runtime
    await runtime.database.write(delete_folder, runtime.blobs, box.mailbox_id, "Trash")
    made = await runtime.database.write(create_folder, box.mailbox_id, "Trash", now_ms=NOW_MS)
    await box.append("INBOX", flags=Flag.DELETED)
    assert (await expunge(box, "INBOX")).trash_id == made
    folders = await runtime.database.read(list_folders, box.mailbox_id)
    assert [folder.name for folder in folders if folder.special_use == "\\Trash"] == ["Trash"]
