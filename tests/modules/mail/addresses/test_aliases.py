"""Aliases and catch-alls: added, refused, listed, removed."""

import pytest

from freehold.accounts.errors import DomainNotFoundError, LimitReachedError
from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.errors import InvalidValueError, NotAllowedError
from freehold.modules.mail.addresses.aliases import (
    MAX_DESTINATIONS,
    list_aliases,
    remove_alias,
    visible_alias,
)
from freehold.modules.mail.addresses.errors import AliasNotFoundError
from freehold.modules.mail.addresses.mailboxes import NewMailbox, add_mailbox
from freehold.modules.mail.addresses.resolve import MAX_DEPTH
from freehold.modules.mail.errors import AddressLoopError, UnknownAddressError
from tests.modules.mail.addresses.town import NOW_MS, Town


async def listed(town: Town) -> list[str]:
    aliases = await town.database.read(list_aliases, HOST_ADMINISTRATOR)
    return [f"{alias.address} {' '.join(map(str, alias.destinations))}" for alias in aliases]


async def test_aliases_are_listed_by_domain_with_their_destinations_in_order(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("@b.example", "ann@a.example")
    await town.alias("Info@A.example", "x@else.example", "ANN@a.example", "discard:")
    await town.alias("info@a.example", "ann@a.example", "mbox:/srv/box")
    assert await listed(town) == [
        "info@a.example x@else.example ann@a.example discard: mbox:/srv/box",
        "@b.example ann@a.example",
    ]


async def test_a_destination_of_ours_must_exist(town: Town) -> None:
    with pytest.raises(UnknownAddressError, match=r"ann@a\.example does not exist"):
        await town.alias("info@a.example", "ann@a.example")
    assert await listed(town) == []


async def test_an_alias_that_leads_only_to_itself_is_refused(town: Town) -> None:
    with pytest.raises(UnknownAddressError):
        await town.alias("info@a.example", "info@a.example")


async def test_a_circle_is_refused_when_it_is_made(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("one@a.example", "ann@a.example")
    await town.alias("two@a.example", "one@a.example")
    with pytest.raises(AddressLoopError):
        await town.alias("one@a.example", "two+x@a.example")
    assert await town.reached("two@a.example") == ["ann@a.example"]


async def test_a_circle_through_a_catch_all_is_refused(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("@b.example", "ann@a.example")
    with pytest.raises(AddressLoopError):
        await town.alias("ann@a.example", "anything@b.example")


@pytest.mark.parametrize("at_head", [True, False])
async def test_too_deep_a_chain_is_refused_whichever_link_is_last(town: Town, at_head: bool) -> None:
    await town.mailbox(f"c{MAX_DEPTH}@a.example")
    for number in range(MAX_DEPTH - 1, 0, -1):
        if number != MAX_DEPTH // 2:
            following = number + 1 if number + 1 != MAX_DEPTH // 2 else MAX_DEPTH
            await town.alias(f"c{number}@a.example", f"c{following}@a.example")
    middle = f"c{MAX_DEPTH // 2}@a.example"
    await town.alias(middle, f"c{MAX_DEPTH // 2 + 1}@a.example")
    await town.alias(f"c{MAX_DEPTH // 2 - 1}@a.example", middle)
    assert await town.reached("c1@a.example") == [f"c{MAX_DEPTH}@a.example"]
    await town.mailbox("end@a.example")
    link = ("c0@a.example", "c1@a.example") if at_head else (f"c{MAX_DEPTH}@a.example", "end@a.example")
    with pytest.raises(AddressLoopError):
        await town.alias(*link)


@pytest.mark.parametrize(
    ("address", "destination"),
    [
        ("info", "ann@a.example"),
        ('"in fo"@a.example', "ann@a.example"),
        ("@", "ann@a.example"),
        ("info@a.example", ""),
        ("info@a.example", "ann"),
        ("info@a.example", "ann@localhost"),
        ("info@a.example", "mailbox:1"),
        ("info@a.example", "https://example.org"),
        ("info@a.example", "maildir:/no/slash"),
        ("info@a.example", "maildir:relative/"),
        ("info@a.example", "maildir:/a/../b/"),
        ("info@a.example", "maildir:/"),
        ("info@a.example", "mbox:/a/"),
        ("info@a.example", "program:"),
        ("info@a.example", "program:cat"),
        ("info@a.example", "program:/bin/echo 'open"),
        ("info@a.example", "program:/bin/echo\nx"),
        ("info@a.example", "discard:something"),
        ("info@a.example", "mbox:/" + "x" * 1000),
    ],
)
async def test_what_is_malformed_is_refused(town: Town, address: str, destination: str) -> None:
    await town.mailbox("ann@a.example")
    with pytest.raises(InvalidValueError):
        await town.alias(address, destination)


async def test_an_alias_needs_a_destination_and_has_a_limit_of_them(town: Town) -> None:
    with pytest.raises(InvalidValueError):
        await town.alias("info@a.example")
    with pytest.raises(LimitReachedError):
        await town.alias(
            "info@a.example", *(f"x{number}@else.example" for number in range(MAX_DESTINATIONS + 1))
        )


@pytest.mark.parametrize("destination", ["maildir:/srv/m/", "mbox:/srv/m", "program:/bin/cat"])
async def test_a_path_or_program_is_for_administrators(town: Town, destination: str) -> None:
    with pytest.raises(NotAllowedError):
        await town.alias("info@a.example", destination, actor=town.anna)
    await town.alias("info@a.example", destination, actor=town.root)


async def test_an_owner_may_forward_and_discard(town: Town) -> None:
    await town.alias("info@a.example", "x@else.example", "discard:", actor=town.anna)
    assert await listed(town) == ["info@a.example x@else.example discard:"]


async def test_an_owner_sees_and_changes_its_own_aliases_only(town: Town) -> None:
    await town.alias("info@b.example", "x@else.example")
    assert await town.database.read(list_aliases, town.anna) == []
    with pytest.raises(DomainNotFoundError):
        await town.alias("info@b.example", "y@else.example", actor=town.anna)
    with pytest.raises(AliasNotFoundError):
        await town.database.read(visible_alias, town.anna, "info@b.example")
    with pytest.raises(AliasNotFoundError):
        await town.database.write(remove_alias, town.anna, "info@b.example")
    assert await listed(town) == ["info@b.example x@else.example"]


async def test_the_owner_of_a_domain_cannot_copy_the_mail_of_a_guest_in_it(town: Town) -> None:
    guest = NewMailbox("guest@a.example", None, owner="bert")
    await town.database.write(add_mailbox, HOST_ADMINISTRATOR, guest, now_ms=NOW_MS)
    with pytest.raises(NotAllowedError):
        await town.alias("guest@a.example", "spy@else.example", actor=town.anna)


async def test_destinations_are_removed_one_by_one_or_all(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("info@a.example", "ann@a.example", "X@else.example", "discard:")
    await town.database.write(remove_alias, town.anna, "INFO@a.example", ("x@ELSE.example",))
    assert await listed(town) == ["info@a.example ann@a.example discard:"]
    with pytest.raises(AliasNotFoundError):
        await town.database.write(remove_alias, town.anna, "info@a.example", ("x@else.example",))
    await town.database.write(remove_alias, town.anna, "info@a.example")
    assert await listed(town) == []
    with pytest.raises(UnknownAddressError):
        await town.resolve("info@a.example")


async def test_removing_the_destinations_of_a_mailbox_keeps_the_mailbox(town: Town) -> None:
    await town.mailbox("ann@a.example")
    with pytest.raises(AliasNotFoundError):
        await town.database.write(remove_alias, town.anna, "ann@a.example")
    await town.alias("ann@a.example", "x@else.example")
    await town.database.write(remove_alias, town.anna, "ann@a.example")
    assert await town.reached("ann@a.example") == ["ann@a.example"]
