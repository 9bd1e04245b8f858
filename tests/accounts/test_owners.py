"""Owners, and that they learn nothing of each other."""

import pytest

from freehold.accounts.access import visible_owner
from freehold.accounts.domains import add_domain, remove_empty_domain
from freehold.accounts.errors import InUseError, OwnerExistsError, OwnerNotFoundError
from freehold.accounts.model import HOST_ADMINISTRATOR, OwnerLimits
from freehold.accounts.owners import add_owner, list_owners, remove_owner
from freehold.errors import InvalidValueError, NotAllowedError
from freehold.storage.database import Database
from tests.accounts.people import NOW_MS, new_login, new_owner


async def test_an_owner_is_listed_with_its_limits(database: Database) -> None:
    limits = OwnerLimits(max_domains=1, max_mailboxes=2, max_storage_bytes=3, max_messages_per_day=4)
    await new_owner(database, "Anna", limits=limits)
    [owner] = await database.read(list_owners, HOST_ADMINISTRATOR)
    assert (owner.name, owner.is_administrator, owner.limits) == ("anna", False, limits)


async def test_a_name_is_given_once(database: Database) -> None:
    await new_owner(database, "anna")
    with pytest.raises(OwnerExistsError, match="anna"):
        await new_owner(database, "ANNA")


@pytest.mark.parametrize("name", ["", "  ", "a b", "-a", "x" * 65, "a\nb", "a;b"])
async def test_a_name_that_breaks_a_command_line_is_refused(sqlite_database: Database, name: str) -> None:
    with pytest.raises(InvalidValueError):
        await new_owner(sqlite_database, name)


async def test_a_negative_limit_is_refused(sqlite_database: Database) -> None:
    with pytest.raises(InvalidValueError):
        await new_owner(sqlite_database, "anna", limits=OwnerLimits(max_domains=-1))


async def test_an_owner_sees_itself_only(database: Database) -> None:
    anna = await new_owner(database, "anna")
    await new_owner(database, "bert")
    assert await database.read(list_owners, anna.actor) == [anna]
    with pytest.raises(OwnerNotFoundError):
        await database.read(visible_owner, anna.actor, "bert")


async def test_an_administrator_sees_all(database: Database) -> None:
    root = await new_owner(database, "root", administrator=True)
    await new_owner(database, "anna")
    assert [owner.name for owner in await database.read(list_owners, root.actor)] == ["anna", "root"]


async def test_an_owner_adds_and_removes_no_owners(database: Database) -> None:
    anna = await new_owner(database, "anna")
    with pytest.raises(NotAllowedError):
        await database.write(add_owner, anna.actor, "bert", now_ms=NOW_MS)
    with pytest.raises(NotAllowedError):
        await database.write(remove_owner, anna.actor, "anna")


async def test_an_owner_with_a_domain_or_a_login_is_not_removed(database: Database) -> None:
    owner = await new_owner(database, "anna")
    await database.write(add_domain, owner.actor, "example.org", now_ms=NOW_MS)
    with pytest.raises(InUseError, match="domains"):
        await database.write(remove_owner, HOST_ADMINISTRATOR, "anna")
    await database.write(remove_empty_domain, owner.actor, "example.org")
    await new_login(database, owner.id, "a@example.org", None)
    with pytest.raises(InUseError, match="mailboxes"):
        await database.write(remove_owner, HOST_ADMINISTRATOR, "anna")


async def test_an_owner_with_nothing_is_removed(database: Database) -> None:
    await new_owner(database, "anna")
    await database.write(remove_owner, HOST_ADMINISTRATOR, "anna")
    assert await database.read(list_owners, HOST_ADMINISTRATOR) == []


async def test_the_last_administrator_stays(database: Database) -> None:
    await new_owner(database, "root", administrator=True)
    with pytest.raises(InUseError, match="only administrator"):
        await database.write(remove_owner, HOST_ADMINISTRATOR, "root")
