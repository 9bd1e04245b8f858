"""Folders as things: made, renamed, deleted, subscribed to."""

import pytest

from freehold.errors import InvalidValueError
from freehold.modules.mail.errors import FolderExistsError, FolderNotFoundError, QuotaExceededError
from freehold.modules.mail.folders.create import create_folder
from freehold.modules.mail.folders.delete import delete_folder
from freehold.modules.mail.folders.errors import (
    FolderHasChildrenError,
    FolderNameError,
    FolderNotSelectableError,
    InboxError,
    SpecialUseError,
    TooManyKeywordsError,
)
from freehold.modules.mail.folders.expunge import ALL_UIDS, expunge_messages
from freehold.modules.mail.folders.flags import FlagChange, FlagMode, change_flags
from freehold.modules.mail.folders.names import new_name
from freehold.modules.mail.folders.read import (
    changes_since,
    claim_recent,
    find_folder,
    find_selectable,
    list_folders,
    list_lone_subscriptions,
    read_uids,
)
from freehold.modules.mail.folders.rename import rename_folder
from freehold.modules.mail.folders.subscribe import (
    MAX_LONE_SUBSCRIPTIONS,
    subscribe,
    subscribe_to_name,
    unsubscribe,
)
from freehold.modules.mail.folders.sweep import mailboxes_to_sweep, sweep_changes
from freehold.modules.mail.folders.transfer import Route, copy_messages, move_messages
from freehold.modules.mail.model import Flag
from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.folders.store import NOW_MS, Box, open_box


@pytest.fixture
async def ann(any_host: MailHost) -> Box:
    return await open_box(any_host, "ann@example.test")


async def create(box: Box, name: str, special_use: str = "") -> int:
    return await box.host.runtime.database.write(
        create_folder, box.mailbox_id, name, special_use=special_use, now_ms=NOW_MS
    )


async def delete(box: Box, name: str) -> int:
    runtime = box.host.runtime
    return await runtime.database.write(delete_folder, runtime.blobs, box.mailbox_id, name)


async def rename(box: Box, name: str, to_name: str) -> int:
    return await box.host.runtime.database.write(rename_folder, box.mailbox_id, name, to_name, now_ms=NOW_MS)


async def names(box: Box, prefix: str) -> list[tuple[str, bool]]:
    folders = await box.host.runtime.database.read(list_folders, box.mailbox_id)
    return [(each.name, each.is_selectable) for each in folders if each.name.startswith(prefix)]


async def count(tx: Transaction, table: str) -> int:
    row = await tx.fetch_one(f"SELECT COUNT(*) FROM {table}")
    assert row is not None
    return int(row[0])


async def test_missing_parents_of_a_new_folder_hold_no_messages(ann: Box) -> None:
    await create(ann, "a/b/c/")
    assert await names(ann, "a") == [("a", False), ("a/b", False), ("a/b/c", True)]
    with pytest.raises(FolderNotSelectableError):
        await ann.host.runtime.database.read(find_selectable, ann.mailbox_id, "a/b")


async def test_a_folder_that_was_there_for_its_children_can_be_made(ann: Box) -> None:
    await create(ann, "a/b")
    await create(ann, "a")
    assert await names(ann, "a") == [("a", True), ("a/b", True)]
    with pytest.raises(FolderExistsError):
        await create(ann, "a")


async def test_inbox_is_the_same_in_any_case(ann: Box) -> None:
    assert (await ann.folder("inbox")).name == "INBOX"
    with pytest.raises(FolderExistsError):
        await create(ann, "Inbox")
    await create(ann, "iNbOx/child")
    assert ("INBOX/child", True) in await names(ann, "INBOX")


@pytest.mark.parametrize(
    "name", ["", "/", "a//b", "/a", "a\r\n", "a\x7f", "a*", "%", " a", "a/ b", "..", "a/./b", "\ud800"]
)
def test_a_name_that_would_be_misread_is_refused(name: str) -> None:
    with pytest.raises(FolderNameError):
        new_name(name)


def test_a_name_has_a_greatest_length_and_depth() -> None:
    assert new_name("n" * 512)
    assert new_name("/".join("n" * 32))
    with pytest.raises(FolderNameError):
        new_name("n" * 513)
    with pytest.raises(InvalidValueError):
        new_name("/".join("n" * 33))


async def test_uid_validity_never_comes_again(ann: Box) -> None:
    await create(ann, "a")
    before = (await ann.folder("a")).uid_validity
    await delete(ann, "a")
    await create(ann, "a")
    assert (await ann.folder("a")).uid_validity > before


async def test_a_deleted_folder_with_children_stays_without_messages(ann: Box) -> None:
    await create(ann, "a")
    await create(ann, "a/b")
    await ann.append("a")
    database = ann.host.runtime.database
    await delete(ann, "a")
    assert await names(ann, "a") == [("a", False), ("a/b", True)]
    assert await database.read(count, "blob") == 0
    assert await database.read(count, "message_summary") == 0
    with pytest.raises(FolderHasChildrenError):
        await delete(ann, "a")
    await delete(ann, "a/b")
    assert await names(ann, "a") == []


async def test_what_cannot_be_deleted_is_refused(ann: Box) -> None:
    with pytest.raises(InboxError):
        await delete(ann, "inbox")
    with pytest.raises(FolderNotFoundError):
        await delete(ann, "nothing")


async def test_deleting_gives_the_space_back(ann: Box) -> None:
    await create(ann, "a")
    await ann.append("a", b"x" * 1000)
    await ann.host.set_quota("ann@example.test", 1500)
    with pytest.raises(QuotaExceededError):
        await ann.append("INBOX", b"x" * 1000)
    await delete(ann, "a")
    await ann.append("INBOX", b"x" * 1000)


async def test_rename_takes_the_children_along_and_keeps_uids(ann: Box) -> None:
    await create(ann, "a/b")
    await create(ann, "a")
    await ann.append("a/b")
    before = await ann.folder("a/b")
    await rename(ann, "a", "new/place")
    assert await names(ann, "a") == []
    assert await names(ann, "new") == [("new", False), ("new/place", True), ("new/place/b", True)]
    after = await ann.folder("new/place/b")
    assert (after.id, after.uid_validity, after.uid_next) == (before.id, before.uid_validity, 2)


async def test_rename_removes_parents_that_were_there_for_it_alone(ann: Box) -> None:
    await create(ann, "a/b/c")
    await rename(ann, "a/b/c", "d")
    assert await names(ann, "a") == []


async def test_rename_of_inbox_moves_its_messages(ann: Box) -> None:
    await create(ann, "INBOX/child")
    await ann.append("INBOX", flags=Flag.SEEN)
    await ann.append("INBOX")
    await rename(ann, "INBOX", "old")
    inbox, old = await ann.folder("INBOX"), await ann.folder("old")
    assert (inbox.message_count, inbox.unseen_count, inbox.uid_next) == (0, 0, 3)
    assert (old.message_count, old.unseen_count, old.uid_next) == (2, 1, 3)
    assert ("INBOX/child", True) in await names(ann, "INBOX")


async def test_rename_that_cannot_be_is_refused_and_changes_nothing(ann: Box) -> None:
    await create(ann, "a")
    before = await names(ann, "")
    for name, to_name, error in (
        ("nothing", "b", FolderNotFoundError),
        ("a", "Trash", FolderExistsError),
        ("a", "a/b", FolderNameError),
        ("a", "b*", FolderNameError),
        ("a", "n" * 513, FolderNameError),
        ("INBOX", "Trash", FolderExistsError),
    ):
        with pytest.raises(error):
            await rename(ann, name, to_name)
    assert await names(ann, "") == before


async def test_a_subscription_outlives_its_folder(ann: Box) -> None:
    database = ann.host.runtime.database
    await create(ann, "a")
    assert not (await ann.folder("a")).is_subscribed
    await database.write(subscribe, ann.mailbox_id, "a")
    await delete(ann, "a")
    assert await database.read(list_lone_subscriptions, ann.mailbox_id) == ["a"]
    await create(ann, "a")
    assert (await ann.folder("a")).is_subscribed
    assert await database.read(list_lone_subscriptions, ann.mailbox_id) == []
    await database.write(unsubscribe, ann.mailbox_id, "a")
    await delete(ann, "a")
    assert await database.read(list_lone_subscriptions, ann.mailbox_id) == []
    with pytest.raises(FolderNotFoundError):
        await database.write(subscribe, ann.mailbox_id, "a")


async def test_the_subscriptions_that_outlive_their_folders_are_bounded(ann: Box) -> None:
    database = ann.host.runtime.database

    async def fill(tx: Transaction) -> None:
        rows = [(ann.mailbox_id, f"gone {number}") for number in range(MAX_LONE_SUBSCRIPTIONS)]
        await tx.execute_many("INSERT INTO subscription (mailbox_id, name) VALUES (?, ?)", rows)

    await database.write(fill)
    await create(ann, "a")
    await database.write(subscribe, ann.mailbox_id, "a")
    await delete(ann, "a")
    left = await database.read(list_lone_subscriptions, ann.mailbox_id)
    assert len(left) == MAX_LONE_SUBSCRIPTIONS
    assert "a" not in left
    assert not await database.write(subscribe_to_name, ann.mailbox_id, "b")


async def test_a_special_use_is_given_once(ann: Box) -> None:
    for use in ("\\Sent", "\\All", "nonsense"):
        with pytest.raises(SpecialUseError):
            await create(ann, "mine", use)
    await delete(ann, "Sent")
    await create(ann, "mine", "\\Sent")
    assert (await ann.folder("mine")).special_use == "\\Sent"


async def test_unchanged_since_keeps_what_changed_meanwhile(ann: Box) -> None:
    database = ann.host.runtime.database
    first, _ = await ann.append("INBOX")
    second, _ = await ann.append("INBOX")
    seen = FlagChange(FlagMode.ADD, Flag.SEEN)
    done = await database.write(
        change_flags, ann.mailbox_id, first.folder_id, [(1, 9)], seen, unchanged_since=first.modseq
    )
    assert (done.changed, done.failed) == ([(1, 1)], [(2, 2)])
    assert done.modseq > second.modseq
    again = await database.write(change_flags, ann.mailbox_id, first.folder_id, [(1, 1)], seen)
    assert (again.modseq, again.changed) == (0, [])


async def test_keywords_are_one_word_in_any_case_and_bounded(ann: Box) -> None:
    database = ann.host.runtime.database
    place, _ = await ann.append("INBOX", keywords="Work")
    more = FlagChange(FlagMode.ADD, 0, frozenset({"work", "home"}))
    assert more.apply(0, "Work") == (0, "Work home")
    assert FlagChange(FlagMode.REMOVE, 0, frozenset({"WORK"})).apply(0, "Work home") == (0, "home")
    many = FlagChange(FlagMode.ADD, 0, frozenset(f"k{number}" for number in range(64)))
    with pytest.raises(TooManyKeywordsError):
        await database.write(change_flags, ann.mailbox_id, place.folder_id, [(1, 1)], many)


async def test_a_copy_over_quota_leaves_nothing(ann: Box) -> None:
    runtime = ann.host.runtime
    place, _ = await ann.append("INBOX", b"x" * 1000)
    trash = await ann.folder("Trash")
    await ann.host.set_quota("ann@example.test", 1500)
    with pytest.raises(QuotaExceededError):
        await runtime.database.write(
            copy_messages,
            runtime.blobs,
            Route(ann.mailbox_id, place.folder_id, trash.id),
            [(1, 1)],
            now_ms=NOW_MS,
        )
    after = await ann.folder("Trash")
    assert (after.uid_next, after.message_count, after.modseq) == (1, 0, trash.modseq)


async def test_nobody_reaches_the_folders_of_another_mailbox(any_host: MailHost) -> None:
    ann = await open_box(any_host, "ann@example.test")
    bob = await open_box(any_host, "bob@example.test")
    theirs, _ = await ann.append("INBOX", flags=Flag.DELETED)
    mine, _ = await bob.append("INBOX")
    runtime = any_host.runtime
    database, blobs = runtime.database, runtime.blobs
    seen = FlagChange(FlagMode.ADD, Flag.SEEN)
    changed = await database.write(change_flags, bob.mailbox_id, theirs.folder_id, ALL_UIDS, seen)
    assert changed.modseq == 0
    gone = await database.write(
        expunge_messages, blobs, (bob.mailbox_id, theirs.folder_id), now_ms=NOW_MS, only_deleted=False
    )
    assert gone.modseq == 0
    taken = Route(bob.mailbox_id, theirs.folder_id, mine.folder_id)
    copied = await database.write(copy_messages, blobs, taken, ALL_UIDS, now_ms=NOW_MS)
    assert copied.modseq == 0
    moved = await database.write(move_messages, taken, ALL_UIDS, now_ms=NOW_MS)
    assert moved.modseq == 0
    given = Route(bob.mailbox_id, mine.folder_id, theirs.folder_id)
    with pytest.raises(FolderNotFoundError):
        await database.write(copy_messages, blobs, given, ALL_UIDS, now_ms=NOW_MS)
    with pytest.raises(FolderNotFoundError):
        await database.write(move_messages, given, ALL_UIDS, now_ms=NOW_MS)
    with pytest.raises(FolderNotFoundError):
        await database.write(claim_recent, bob.mailbox_id, theirs.folder_id, below_uid=9)
    assert await database.read(changes_since, bob.mailbox_id, theirs.folder_id, 0, from_uid=1) is None
    assert await database.read(read_uids, bob.mailbox_id, theirs.folder_id) == []
    assert (await ann.folder("INBOX")).message_count == 1
    with pytest.raises(FolderNotFoundError):
        await database.read(find_folder, bob.mailbox_id, "nothing")


async def test_recency_is_claimed_once(ann: Box) -> None:
    place, _ = await ann.append("INBOX")
    database = ann.host.runtime.database
    await ann.append("INBOX")
    assert await database.write(claim_recent, ann.mailbox_id, place.folder_id, below_uid=2) == (1, 2)
    assert await database.write(claim_recent, ann.mailbox_id, place.folder_id, below_uid=2) == (2, 2)
    assert await database.write(claim_recent, ann.mailbox_id, place.folder_id, below_uid=3) == (2, 3)


async def test_swept_changes_say_that_the_log_is_incomplete(ann: Box) -> None:
    database = ann.host.runtime.database
    for _ in range(5):
        place, _ = await ann.append("INBOX")
    assert ann.mailbox_id in await database.read(mailboxes_to_sweep, kept=2)
    floor = await database.write(sweep_changes, ann.mailbox_id, kept=2)
    assert await database.write(sweep_changes, ann.mailbox_id, kept=2) == floor
    before = await database.read(changes_since, ann.mailbox_id, place.folder_id, floor - 1, from_uid=4)
    after = await database.read(changes_since, ann.mailbox_id, place.folder_id, floor, from_uid=4)
    assert before is not None
    assert after is not None
    assert (before.is_complete, after.is_complete) == (False, True)
    assert after.added == [(4, 5)]
    assert await database.read(mailboxes_to_sweep, kept=2) == []
