"""Random operations on the store and on a plain model of it end in the same mailbox, on both engines."""

import random

import pytest

from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.expunge import expunge_messages
from freehold.modules.mail.folders.flags import FlagChange, FlagMode, change_flags
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.read import changes_since
from freehold.modules.mail.folders.transfer import Route, copy_messages, move_messages
from freehold.modules.mail.model import MAX_UID, Flag
from freehold.storage.database import Row, Transaction
from tests.mail_host import MailHost
from tests.modules.mail.folders.plain_mailbox import PlainMailbox, PlainMessage
from tests.modules.mail.folders.store import NOW_MS, Box, open_box, uids_in

FOLDERS = ("INBOX", "Archive", "Trash")
OPERATIONS = 120


class Replica:
    """What a client that only reads the change log knows of a folder."""

    def __init__(self) -> None:
        self.modseq = 1
        self.uid_next = 1
        self.messages: dict[int, tuple[int, str]] = {}


class Twins:
    """The store and its model, changed by the same operations."""

    def __init__(self, box: Box, seed: int) -> None:
        self.box = box
        self.random = random.Random(seed)
        self.plain = PlainMailbox(*FOLDERS)
        self.ids: dict[str, int] = {}
        self.replicas = {name: Replica() for name in FOLDERS}
        self.newest = 0

    async def run(self) -> None:
        for name in FOLDERS:
            self.ids[name] = (await self.box.folder(name)).id
        operations = (self.append, self.append, self.flags, self.flags, self.expunge, self.copy, self.move)
        for _ in range(OPERATIONS):
            modseq = await self.random.choice(operations)()
            if modseq:
                assert modseq > self.newest
                self.newest = modseq
            if self.random.random() < 0.2:
                await self.follow(self.random.choice(FOLDERS))
        for name in FOLDERS:
            await self.compare(name)
            await self.follow(name)
        await self.compare_totals()

    def some_uids(self, name: str) -> tuple[set[int], list[UidRange]]:
        count = self.plain.folders[name].uid_next + 2
        if self.random.random() < 0.2:
            chosen = set(range(1, count))
        else:
            chosen = {self.random.randrange(1, count) for _ in range(self.random.randrange(1, 8))}
        return chosen, uid_ranges(sorted(chosen))

    async def append(self) -> int:
        name = self.random.choice(FOLDERS)
        content = b"x" * self.random.randrange(1, 50)
        flags = self.random.randrange(32)
        keywords = self.random.choice(("", "a", "a b"))
        place, blob_id = await self.box.append(name, content, flags=flags, keywords=keywords)
        message = PlainMessage(blob_id, flags, keywords, len(content), NOW_MS + blob_id % 1000)
        assert place.uid == self.plain.folders[name].add(message)
        return place.modseq

    async def flags(self) -> int:
        name = self.random.choice(FOLDERS)
        uids, ranges = self.some_uids(name)
        keywords = frozenset(self.random.sample(("a", "b", "C"), self.random.randrange(3)))
        change = FlagChange(self.random.choice(list(FlagMode)), self.random.randrange(32), keywords)
        done = await self.box.host.runtime.database.write(
            change_flags, self.box.mailbox_id, self.ids[name], ranges, change
        )
        assert set(uids_in(done.changed)) == self.plain.folders[name].change_flags(uids, change)
        return done.modseq

    async def expunge(self) -> int:
        name = self.random.choice(FOLDERS)
        uids, ranges = self.some_uids(name)
        runtime = self.box.host.runtime
        done = await runtime.database.write(
            expunge_messages,
            runtime.blobs,
            (self.box.mailbox_id, self.ids[name]),
            ranges,
            now_ms=NOW_MS,
        )
        assert set(uids_in(done.uids)) == self.plain.folders[name].expunge(uids)
        return done.modseq

    async def copy(self) -> int:
        source, target = self.random.choice(FOLDERS), self.random.choice(FOLDERS)
        uids, ranges = self.some_uids(source)
        runtime = self.box.host.runtime
        done = await runtime.database.write(
            copy_messages, runtime.blobs, self.route(source, target), ranges, now_ms=NOW_MS
        )
        pairs = list(zip(uids_in(done.source), uids_in(done.target), strict=True))
        assert pairs == self.plain.copy(source, target, uids)
        return done.modseq

    async def move(self) -> int:
        source, target = self.random.choice(FOLDERS), self.random.choice(FOLDERS)
        uids, ranges = self.some_uids(source)
        done = await self.box.host.runtime.database.write(
            move_messages, self.route(source, target), ranges, now_ms=NOW_MS
        )
        pairs = list(zip(uids_in(done.source), uids_in(done.target), strict=True))
        assert pairs == self.plain.move(source, target, uids)
        return done.modseq

    def route(self, source: str, target: str) -> Route:
        return Route(self.box.mailbox_id, self.ids[source], self.ids[target])

    async def compare(self, name: str) -> None:
        """Rows and counters of a folder are the model's."""
        plain = self.plain.folders[name]
        rows = await self.box.host.runtime.database.read(_messages, self.ids[name])
        stored = {row[0] & MAX_UID: PlainMessage(row[1], row[2], row[3], row[4], row[5]) for row in rows}
        assert stored == plain.messages
        assert all(row[6] == 1 for row in rows)
        folder = await self.box.folder(name)
        assert folder.message_count == len(plain.messages)
        assert (folder.unseen_count, folder.size_bytes) == (plain.unseen, plain.size)
        assert folder.uid_next == plain.uid_next

    async def follow(self, name: str) -> None:
        """The change log brings a replica to the folder's state."""
        replica = self.replicas[name]
        database = self.box.host.runtime.database
        changes = await database.read(
            changes_since, self.box.mailbox_id, self.ids[name], replica.modseq, from_uid=replica.uid_next
        )
        assert changes is not None
        assert changes.is_complete
        rows = {row[0] & MAX_UID: (row[2], row[3]) for row in await database.read(_messages, self.ids[name])}
        for uid in uids_in(changes.expunged):
            replica.messages.pop(uid, None)
        for uid in uids_in(changes.added):
            replica.messages[uid] = rows[uid]
        for uid in uids_in(changes.flags):
            if uid in replica.messages:
                replica.messages[uid] = rows[uid]
        replica.modseq, replica.uid_next = changes.modseq, changes.uid_next
        assert replica.messages == rows

    async def compare_totals(self) -> None:
        """The mailbox's counters and the references to contents are the model's."""
        row, references = await self.box.host.runtime.database.read(_totals, self.box.mailbox_id)
        folders = self.plain.folders.values()
        assert row == (sum(each.size for each in folders), sum(len(each.messages) for each in folders))
        assert dict(references) == self.plain.references()


async def _messages(tx: Transaction, folder_id: int) -> list[Row]:
    return await tx.fetch(
        "SELECT m.id, m.blob_id, m.flags, m.keywords, m.size_bytes, m.internal_ms,"
        " (SELECT COUNT(*) FROM message_summary AS s WHERE s.blob_id = m.blob_id) FROM message AS m"
        " WHERE m.id BETWEEN ? AND ? ORDER BY m.id",
        folder_id << 32,
        (folder_id << 32) + MAX_UID,
    )


async def _totals(tx: Transaction, mailbox_id: int) -> tuple[Row | None, list[Row]]:
    row = await tx.fetch_one("SELECT used_bytes, message_count FROM mailbox WHERE id = ?", mailbox_id)
    return row, await tx.fetch("SELECT id, refs FROM blob")


@pytest.mark.parametrize("seed", range(6))
async def test_random_operations_leave_the_mailbox_that_the_model_has(any_host: MailHost, seed: int) -> None:
    await Twins(await open_box(any_host, "ann@example.test"), seed).run()


def test_flags_take_whole_bits() -> None:
    assert sum(Flag) == 31
