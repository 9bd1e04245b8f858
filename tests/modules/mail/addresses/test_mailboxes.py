"""Mailboxes: made whole, limited, and their owner's only."""

from collections.abc import Awaitable, Callable

import pytest

from freehold.accounts.errors import (
    DomainNotFoundError,
    InUseError,
    LimitReachedError,
    LoginExistsError,
    LoginNotFoundError,
    OwnerNotFoundError,
)
from freehold.accounts.logins import visible_login
from freehold.accounts.model import HOST_ADMINISTRATOR, Credentials, OwnerLimits
from freehold.accounts.owners import add_owner
from freehold.errors import InvalidValueError
from freehold.modules.mail.addresses import mailboxes
from freehold.modules.mail.addresses.domains import domain_content, remove_domain
from freehold.modules.mail.addresses.errors import AddressExistsError, MailboxNotFoundError
from freehold.modules.mail.addresses.mailboxes import NewMailbox
from freehold.modules.mail.addresses.model import Mailbox
from freehold.modules.mail.errors import UnknownAddressError
from freehold.protocols.smtp.address import InvalidAddressError
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database, Transaction
from tests.modules.mail.addresses.town import NOW_MS, Town

CREDENTIALS = Credentials("$argon2id$", "SCRAM-SHA-256$")
TABLES = ("mailbox", "address", "target", "login", "login_name", "folder")


async def row_counts(tx: Transaction) -> list[int]:
    counts = []
    for table in TABLES:
        row = await tx.fetch_one(f"SELECT COUNT(*) FROM {table}")
        counts.append(int(row[0]) if row else -1)
    return counts


async def add(town: Town, new: NewMailbox) -> Mailbox:
    return await town.database.write(mailboxes.add_mailbox, HOST_ADMINISTRATOR, new, now_ms=NOW_MS)


async def limited(database: Database, limits: OwnerLimits) -> None:
    await database.write(add_owner, HOST_ADMINISTRATOR, "lea", limits=limits, now_ms=NOW_MS)


async def test_a_mailbox_comes_with_login_address_and_folders(town: Town) -> None:
    mailbox = await add(town, NewMailbox("Ann@A.example", CREDENTIALS, login="Ann", quota_bytes=1000))
    assert (mailbox.address, mailbox.login, mailbox.owner) == ("ann@a.example", "ann", "anna")
    assert (mailbox.quota_bytes, mailbox.used_bytes, mailbox.message_count) == (1000, 0, 0)
    assert await town.database.read(row_counts) == [1, 1, 1, 1, 2, 6]
    login = await town.database.read(visible_login, town.anna, "ANN")
    assert (login.id, login.password_hash) == (mailbox.login_id, "$argon2id$")


async def test_a_mailbox_that_cannot_be_made_whole_leaves_nothing(town: Town) -> None:
    await add(town, NewMailbox("ann@a.example", None, login="ann"))
    before = await town.database.read(row_counts)
    with pytest.raises(LoginExistsError):
        await add(town, NewMailbox("bob@a.example", None, login="ann"))
    assert await town.database.read(row_counts) == before


async def test_the_same_local_part_may_be_in_two_domains(town: Town) -> None:
    await add(town, NewMailbox("david@a.example", None, login="david"))
    await add(town, NewMailbox("david@b.example", None, login="david.b"))
    listed = await town.database.read(mailboxes.list_mailboxes, HOST_ADMINISTRATOR)
    assert [(mailbox.address, mailbox.login) for mailbox in listed] == [
        ("david@a.example", "david"),
        ("david@b.example", "david.b"),
    ]


async def test_an_address_is_given_once_whether_mailbox_or_alias(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("info@a.example", "ann@a.example")
    for address in ("ANN@a.example", "info@a.example"):
        with pytest.raises(AddressExistsError):
            await town.mailbox(address)


@pytest.mark.parametrize(
    "address",
    ["", "ann", "@a.example", "ann@", "a b@a.example", '"a b"@a.example', "a@b@a.example"],
)
async def test_what_is_no_plain_address_is_refused(town: Town, address: str) -> None:
    with pytest.raises((InvalidAddressError, InvalidValueError)):
        await town.mailbox(address)


async def test_a_missing_domain_says_how_to_add_it(town: Town) -> None:
    with pytest.raises(DomainNotFoundError) as caught:
        await town.mailbox("ann@example.org")
    assert caught.value.public == "domain example.org does not exist: freehold domain add example.org"


async def test_an_owner_adds_mailboxes_in_its_own_domains_for_itself_only(town: Town) -> None:
    await town.mailbox("ann@a.example", actor=town.anna)
    with pytest.raises(DomainNotFoundError):
        await town.mailbox("ann@b.example", actor=town.anna)
    with pytest.raises(OwnerNotFoundError):
        await town.database.write(
            mailboxes.add_mailbox, town.anna, NewMailbox("x@a.example", None, owner="bert"), now_ms=NOW_MS
        )


async def test_an_owner_sees_and_changes_its_own_mailboxes_only(town: Town, blobs: BlobStore) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@b.example")
    listed = await town.database.read(mailboxes.list_mailboxes, town.anna)
    assert [mailbox.address for mailbox in listed] == ["ann@a.example"]
    bob, write = "bob@b.example", town.database.write
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: town.database.read(mailboxes.visible_mailbox, town.anna, bob),
        lambda: write(mailboxes.set_password, town.anna, bob, CREDENTIALS, now_ms=NOW_MS),
        lambda: write(mailboxes.set_quota, town.anna, bob, 1),
        lambda: write(mailboxes.set_exact, town.anna, bob, is_exact=True),
        lambda: write(mailboxes.set_mailbox_disabled, town.anna, bob, is_disabled=True, now_ms=NOW_MS),
        lambda: write(mailboxes.remove_mailbox, blobs, town.anna, bob),
    ]
    before = await town.database.read(mailboxes.visible_mailbox, town.bert, bob)
    for change in changes:
        with pytest.raises(MailboxNotFoundError):
            await change()
    assert await town.database.read(mailboxes.visible_mailbox, town.bert, bob) == before


async def test_password_quota_and_exactness_are_changed(town: Town) -> None:
    await town.mailbox("ann@a.example")
    address, write = "ann@a.example", town.database.write
    await write(mailboxes.set_password, town.anna, address, CREDENTIALS, now_ms=NOW_MS)
    await write(mailboxes.set_quota, town.anna, address, 5_000_000_000)
    await write(mailboxes.set_exact, town.anna, address, is_exact=True)
    await write(mailboxes.set_mailbox_disabled, town.anna, address, is_disabled=True, now_ms=NOW_MS)
    mailbox = await town.database.read(mailboxes.visible_mailbox, town.anna, address)
    login = await town.database.read(visible_login, town.anna, address)
    assert (mailbox.quota_bytes, mailbox.is_exact, mailbox.is_disabled) == (5_000_000_000, True, True)
    assert (login.password_hash, login.is_disabled) == (CREDENTIALS.password_hash, True)


@pytest.mark.parametrize("quota", [0, -1, 2**53 + 1])
async def test_a_quota_out_of_range_is_refused(town: Town, quota: int) -> None:
    with pytest.raises(InvalidValueError):
        await town.mailbox("ann@a.example", quota_bytes=quota)


async def test_a_removed_mailbox_leaves_nothing_and_its_address_is_unknown(
    town: Town, blobs: BlobStore
) -> None:
    await town.mailbox("ann@a.example")
    await town.database.write(mailboxes.remove_mailbox, blobs, town.anna, "ann@a.example")
    assert await town.database.read(row_counts) == [0] * len(TABLES)
    with pytest.raises(UnknownAddressError):
        await town.resolve("ann@a.example")
    await town.mailbox("ann@a.example")


async def test_a_removed_mailbox_leaves_the_other_destinations_of_its_address(
    town: Town, blobs: BlobStore
) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("ann@a.example", "out@else.example")
    await town.database.write(mailboxes.remove_mailbox, blobs, town.anna, "ann@a.example")
    assert await town.reached("ann@a.example") == ["out@else.example"]


async def test_the_limit_of_mailboxes_holds(town: Town) -> None:
    await limited(town.database, OwnerLimits(max_mailboxes=1))
    await town.domain("l.example", owner="lea")
    await town.mailbox("one@l.example")
    with pytest.raises(LimitReachedError, match="1 mailboxes"):
        await town.mailbox("two@l.example")


async def test_the_limit_of_storage_holds_for_all_quotas_together(town: Town) -> None:
    await limited(town.database, OwnerLimits(max_storage_bytes=100))
    await town.domain("l.example", owner="lea")
    with pytest.raises(LimitReachedError, match="needs a quota"):
        await town.mailbox("one@l.example")
    await town.mailbox("one@l.example", quota_bytes=60)
    with pytest.raises(LimitReachedError, match="only 40 of 100"):
        await town.mailbox("two@l.example", quota_bytes=41)
    await town.mailbox("two@l.example", quota_bytes=40)
    with pytest.raises(LimitReachedError):
        await town.database.write(mailboxes.set_quota, HOST_ADMINISTRATOR, "one@l.example", 61)
    await town.database.write(mailboxes.set_quota, HOST_ADMINISTRATOR, "one@l.example", 50)


async def test_a_domain_with_addresses_is_removed_only_with_them(town: Town, blobs: BlobStore) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("info@a.example", "ann@a.example")
    await town.mailbox("bob@b.example")
    with pytest.raises(InUseError, match="--with-addresses"):
        await town.database.write(remove_domain, blobs, town.anna, "a.example")
    content = await town.database.read(domain_content, town.anna, "a.example")
    assert (content.address_count, [mailbox.address for mailbox in content.mailboxes]) == (
        2,
        ["ann@a.example"],
    )
    await town.database.write(remove_domain, blobs, town.anna, "a.example", with_addresses=True)
    assert await town.database.read(row_counts) == [1, 1, 1, 1, 1, 6]
    assert await town.reached("bob@b.example") == ["bob@b.example"]


async def test_an_owner_removes_neither_anothers_domain_nor_anothers_mailbox_in_its_own(
    town: Town, blobs: BlobStore
) -> None:
    await add(town, NewMailbox("guest@a.example", None, owner="bert"))
    with pytest.raises(DomainNotFoundError):
        await town.database.write(remove_domain, blobs, town.bert, "a.example", with_addresses=True)
    with pytest.raises(DomainNotFoundError):
        await town.database.read(domain_content, town.bert, "a.example")
    with pytest.raises(InUseError, match="another owner"):
        await town.database.write(remove_domain, blobs, town.anna, "a.example", with_addresses=True)
    assert await town.reached("guest@a.example") == ["guest@a.example"]


async def test_a_login_of_another_owner_is_not_seen(town: Town) -> None:
    await town.mailbox("ann@a.example")
    with pytest.raises(LoginNotFoundError):
        await town.database.read(visible_login, town.bert, "ann@a.example")
