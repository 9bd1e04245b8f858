"""As whom a mailbox may send."""

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import set_mailbox_disabled
from tests.modules.mail.addresses.town import NOW_MS, Town


async def test_a_mailbox_may_send_as_what_leads_to_it(town: Town) -> None:
    ann = await town.mailbox("ann@a.example")
    bob = await town.mailbox("bob@a.example")
    await town.alias("info@a.example", "ann@a.example")
    await town.alias("team@b.example", "info@a.example", "bob@a.example", "out@else.example")
    await town.domain_alias("z.example", "a.example")
    for address in (
        "ann@a.example",
        "ANN@A.example",
        "ann+lists@a.example",
        "info@a.example",
        "info+x@a.example",
        "team@b.example",
        "ann@z.example",
        "info@z.example",
        "postmaster@a.example",
    ):
        assert await town.may_send_as(ann, address)
    assert await town.may_send_as(bob, "team@b.example")


async def test_a_mailbox_may_not_send_as_anything_else(town: Town) -> None:
    ann = await town.mailbox("ann@a.example")
    bob = await town.mailbox("bob@a.example")
    for address in (
        "bob@a.example",
        "nobody@a.example",
        "ann@b.example",
        "ann@else.example",
        "@a.example",
        "",
    ):
        assert not await town.may_send_as(ann, address)
    assert not await town.may_send_as(bob, "postmaster@a.example")


async def test_a_catch_all_lets_nobody_speak_for_every_name(town: Town) -> None:
    ann = await town.mailbox("ann@a.example")
    await town.alias("@a.example", "ann@a.example")
    await town.alias("@b.example", "ann@a.example")
    assert not await town.may_send_as(ann, "president@a.example")
    assert not await town.may_send_as(ann, "president@b.example")
    assert await town.may_send_as(ann, "ann+x@a.example")


async def test_an_exact_mailbox_may_not_send_as_a_subaddress(town: Town) -> None:
    ann = await town.mailbox("ann@a.example", is_exact=True)
    assert not await town.may_send_as(ann, "ann+x@a.example")


async def test_a_disabled_mailbox_or_domain_may_not_send(town: Town) -> None:
    ann = await town.mailbox("ann@a.example")
    bob = await town.mailbox("bob@b.example")
    await town.database.write(
        set_mailbox_disabled, HOST_ADMINISTRATOR, "ann@a.example", is_disabled=True, now_ms=NOW_MS
    )
    await town.disable_domain("b.example")
    assert not await town.may_send_as(ann, "ann@a.example")
    assert not await town.may_send_as(bob, "bob@b.example")
