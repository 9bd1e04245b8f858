"""How much of the change log is kept where modseqs were skipped, which are no changes."""

import pytest

from freehold.modules.mail.folders.lost_changes import note_boot
from freehold.modules.mail.folders.read import changes_since
from freehold.modules.mail.folders.sweep import mailboxes_to_sweep, sweep_changes
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.folders.store import Box, open_box

KEPT = 10


@pytest.fixture
async def ann(any_host: MailHost) -> Box:
    return await open_box(any_host, "ann@example.test")


async def newest(tx: Transaction, mailbox_id: int) -> int:
    row = await tx.fetch_one("SELECT modseq FROM mailbox WHERE id = ?", mailbox_id)
    assert row is not None
    return int(row[0])


async def append(box: Box, count: int) -> None:
    for _ in range(count):
        await box.append("INBOX")


async def test_a_start_of_the_machine_makes_no_change_old(ann: Box) -> None:
    database = ann.host.runtime.database
    await append(ann, KEPT + 2)
    floor = await database.write(sweep_changes, ann.mailbox_id, kept=KEPT)
    assert floor == await database.read(newest, ann.mailbox_id) - KEPT
    for boot in ("one", "two"):
        await database.write(note_boot, boot)
        assert await database.read(mailboxes_to_sweep, kept=KEPT) == []
        assert await database.write(sweep_changes, ann.mailbox_id, kept=KEPT) == floor
    folder = await ann.folder("INBOX")
    known = await database.read(changes_since, ann.mailbox_id, folder.id, floor, from_uid=folder.uid_next)
    assert known is not None
    assert known.is_complete


async def test_changes_are_counted_on_both_sides_of_gaps(ann: Box) -> None:
    database = ann.host.runtime.database
    await append(ann, 2 * KEPT)
    before = await database.read(newest, ann.mailbox_id)
    await database.write(note_boot, "one")
    await append(ann, 3)
    await database.write(note_boot, "two")
    await append(ann, 3)
    assert ann.mailbox_id in await database.read(mailboxes_to_sweep, kept=KEPT)
    assert await database.write(sweep_changes, ann.mailbox_id, kept=KEPT) == before - (KEPT - 6)
    assert await database.read(mailboxes_to_sweep, kept=KEPT) == []
    await append(ann, KEPT)
    last = await database.read(newest, ann.mailbox_id)
    assert await database.write(sweep_changes, ann.mailbox_id, kept=KEPT) == last - KEPT
    await append(ann, 1)
    assert await database.write(sweep_changes, ann.mailbox_id, kept=KEPT) == last + 1 - KEPT
