"""Domains, alias domains, and whose they are."""

import pytest

from freehold.accounts.access import visible_domain
from freehold.accounts.domains import (
    add_domain,
    alias_domain,
    list_domains,
    remove_empty_domain,
    set_domain_disabled,
)
from freehold.accounts.errors import (
    DomainExistsError,
    DomainNotFoundError,
    InUseError,
    LimitReachedError,
    OwnerNotFoundError,
)
from freehold.accounts.model import HOST_ADMINISTRATOR, Actor, OwnerLimits
from freehold.errors import InvalidValueError
from freehold.storage.database import Database
from tests.accounts.people import NOW_MS, new_actor, new_owner


async def add(database: Database, actor: Actor, name: str, owner: str | None = None) -> None:
    await database.write(add_domain, actor, name, owner=owner, now_ms=NOW_MS)


async def alias(database: Database, actor: Actor, name: str, target: str) -> None:
    await database.write(alias_domain, actor, name, target, now_ms=NOW_MS)


async def names(database: Database, actor: Actor) -> list[str]:
    return [domain.name for domain in await database.read(list_domains, actor)]


async def test_a_domain_belongs_to_who_adds_it(database: Database) -> None:
    anna = await new_actor(database, "anna")
    await add(database, anna, "Bücher.Example")
    domain = await database.read(visible_domain, anna, "bücher.example")
    assert (domain.name, domain.owner, domain.separator) == ("xn--bcher-kva.example", "anna", "+")


async def test_the_host_adds_for_the_first_administrator_unless_an_owner_is_named(database: Database) -> None:
    await new_owner(database, "root", administrator=True)
    await new_owner(database, "anna")
    await add(database, HOST_ADMINISTRATOR, "a.example")
    await add(database, HOST_ADMINISTRATOR, "b.example", "anna")
    domains = await database.read(list_domains, HOST_ADMINISTRATOR)
    assert [(domain.name, domain.owner) for domain in domains] == [
        ("a.example", "root"),
        ("b.example", "anna"),
    ]


async def test_without_an_owner_the_error_names_the_command(database: Database) -> None:
    with pytest.raises(OwnerNotFoundError, match="freehold owner add"):
        await add(database, HOST_ADMINISTRATOR, "a.example")


async def test_a_domain_is_here_once(database: Database) -> None:
    anna, bert = await new_actor(database, "anna"), await new_actor(database, "bert")
    await add(database, anna, "a.example")
    with pytest.raises(DomainExistsError):
        await add(database, bert, "A.example")


async def test_owners_see_and_change_their_own_domains_only(database: Database) -> None:
    anna, bert = await new_actor(database, "anna"), await new_actor(database, "bert")
    await add(database, anna, "a.example")
    await add(database, bert, "b.example")
    assert await names(database, anna) == ["a.example"]
    with pytest.raises(DomainNotFoundError):
        await database.read(visible_domain, anna, "b.example")
    with pytest.raises(DomainNotFoundError):
        await database.write(set_domain_disabled, anna, "b.example", is_disabled=True)
    with pytest.raises(DomainNotFoundError):
        await database.write(remove_empty_domain, anna, "b.example")
    with pytest.raises(OwnerNotFoundError):
        await add(database, anna, "c.example", "bert")
    with pytest.raises(DomainNotFoundError):
        await alias(database, anna, "c.example", "b.example")
    with pytest.raises(DomainExistsError):
        await alias(database, anna, "b.example", "a.example")
    assert await names(database, bert) == ["b.example"]


async def test_a_missing_domain_says_how_to_add_it(database: Database) -> None:
    with pytest.raises(DomainNotFoundError) as caught:
        await database.read(visible_domain, HOST_ADMINISTRATOR, "Example.org")
    assert caught.value.public == "domain example.org does not exist: freehold domain add example.org"


async def test_the_limit_of_domains_holds_for_aliases_too(database: Database) -> None:
    anna = (await new_owner(database, "anna", limits=OwnerLimits(max_domains=2))).actor
    await add(database, anna, "a.example")
    await alias(database, anna, "b.example", "a.example")
    with pytest.raises(LimitReachedError, match="2 domains"):
        await add(database, anna, "c.example")
    with pytest.raises(LimitReachedError):
        await alias(database, anna, "c.example", "a.example")


async def test_an_alias_domain_is_made_of_a_new_or_an_own_domain(database: Database) -> None:
    anna = await new_actor(database, "anna")
    await add(database, anna, "a.example")
    await add(database, anna, "b.example")
    await alias(database, anna, "b.example", "a.example")
    await alias(database, anna, "c.example", "a.example")
    domains = await database.read(list_domains, anna)
    assert [(domain.name, domain.target) for domain in domains] == [
        ("a.example", None),
        ("b.example", "a.example"),
        ("c.example", "a.example"),
    ]


async def test_alias_domains_make_neither_chains_nor_loops(database: Database) -> None:
    anna = await new_actor(database, "anna")
    await add(database, anna, "a.example")
    await alias(database, anna, "b.example", "a.example")
    for name, target in (("c.example", "b.example"), ("a.example", "b.example"), ("a.example", "a.example")):
        with pytest.raises(InvalidValueError):
            await alias(database, anna, name, target)
    await add(database, anna, "c.example")
    with pytest.raises(InvalidValueError, match="has alias domains"):
        await alias(database, anna, "a.example", "c.example")


async def test_a_domain_is_switched_off_and_on(database: Database) -> None:
    anna = await new_actor(database, "anna")
    await add(database, anna, "a.example")
    for is_disabled in (True, False):
        domain = await database.write(set_domain_disabled, anna, "a.example", is_disabled=is_disabled)
        assert domain.is_disabled is is_disabled


async def test_a_domain_with_aliases_is_not_removed_before_them(database: Database) -> None:
    anna = await new_actor(database, "anna")
    await add(database, anna, "a.example")
    await alias(database, anna, "b.example", "a.example")
    with pytest.raises(InUseError, match=r"freehold domain remove b\.example"):
        await database.write(remove_empty_domain, anna, "a.example")
    await database.write(remove_empty_domain, anna, "b.example")
    await database.write(remove_empty_domain, anna, "a.example")
    assert await names(database, anna) == []


async def test_a_separator_is_plus_minus_or_nothing(database: Database) -> None:
    anna = await new_actor(database, "anna")
    with pytest.raises(InvalidValueError):
        await database.write(add_domain, anna, "a.example", separator="=", now_ms=NOW_MS)
