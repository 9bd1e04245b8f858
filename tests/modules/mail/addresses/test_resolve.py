"""Where mail for an address goes."""

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses import store
from freehold.modules.mail.addresses.mailboxes import set_mailbox_disabled
from freehold.modules.mail.addresses.model import Destination, ForeignDomain, MailboxTarget, Resolution
from freehold.modules.mail.addresses.resolve import MAX_DEPTH, MAX_EXPANDED
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.model import TargetKind
from freehold.storage.database import Transaction
from tests.modules.mail.addresses.town import NOW_MS, Town


async def link(tx: Transaction, domain: str, local: str, *values: str) -> None:
    """Let an address lead to others without any check, as a change elsewhere may bring about."""
    row = await tx.fetch_one("SELECT id FROM domain WHERE name = ?", domain)
    assert row is not None
    address_id = await store.address_id_of(tx, row[0], local)
    if address_id is None:
        address_id = await store.insert_address(tx, row[0], local, now_ms=NOW_MS)
    for value in values:
        await store.insert_target(tx, address_id, Destination(TargetKind.ADDRESS, value))


async def folder_name(tx: Transaction, folder_id: int) -> str | None:
    row = await tx.fetch_one("SELECT name FROM folder WHERE id = ?", folder_id)
    return None if row is None else str(row[0])


async def disable(town: Town, address: str) -> None:
    await town.database.write(
        set_mailbox_disabled, HOST_ADMINISTRATOR, address, is_disabled=True, now_ms=NOW_MS
    )


async def test_a_mailbox_is_reached_by_its_address_in_any_letter_case(town: Town) -> None:
    mailbox = await town.mailbox("ann@a.example")
    resolution = await town.resolve("ANN@A.Example")
    assert isinstance(resolution, Resolution)
    [target] = resolution.mailboxes
    assert resolution == Resolution(mailboxes=(target,))
    assert target == MailboxTarget(mailbox.id, target.inbox_id, "ann@a.example")
    assert await town.database.read(folder_name, target.inbox_id) == "INBOX"


async def test_an_unknown_address_is_an_error_and_a_foreign_domain_a_result(town: Town) -> None:
    with pytest.raises(UnknownAddressError):
        await town.resolve("nobody@a.example")
    assert await town.resolve("ann@Elsewhere.example") == ForeignDomain("elsewhere.example")


async def test_a_u_label_finds_its_a_label(town: Town) -> None:
    await town.domain("bücher.example")
    await town.mailbox("ann@bücher.example")
    assert await town.reached("ann@BÜCHER.example") == ["ann@xn--bcher-kva.example"]
    assert await town.reached("ann@xn--bcher-kva.example") == ["ann@xn--bcher-kva.example"]
    assert await town.resolve("ann@\u2603.example") == ForeignDomain("\u2603.example")


async def test_a_local_part_beyond_ascii_is_one_in_any_normal_form(town: Town) -> None:
    await town.mailbox("jos\u00e9@a.example")
    assert await town.reached("JOSE\u0301@a.example") == ["jos\u00e9@a.example"]


async def test_a_subaddress_reaches_the_mailbox_with_its_detail(town: Town) -> None:
    await town.mailbox("ann@a.example")
    assert await town.reached("ann+lists@a.example") == ["ann@a.example[lists]"]
    assert await town.reached("ann+@a.example") == ["ann@a.example"]
    assert await town.reached("ann+a+b@a.example") == ["ann@a.example[a+b]"]


async def test_a_subaddress_that_exists_is_an_address_of_its_own(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@a.example")
    await town.alias("ann+lists@a.example", "bob@a.example")
    assert await town.reached("ann+lists@a.example") == ["bob@a.example"]
    assert await town.reached("ann+lists+x@a.example") == ["bob@a.example[x]"]


async def test_with_minus_the_longest_address_wins_and_never_a_mere_beginning(town: Town) -> None:
    await town.domain("m.example", separator="-")
    for local in ("andrew", "andrew-work", "jon"):
        await town.mailbox(f"{local}@m.example")
    assert await town.reached("andrew-mailinglist@m.example") == ["andrew@m.example[mailinglist]"]
    assert await town.reached("andrew-work-x-y@m.example") == ["andrew-work@m.example[x-y]"]
    with pytest.raises(UnknownAddressError):
        await town.resolve("jonathan@m.example")
    with pytest.raises(UnknownAddressError):
        await town.resolve("jon+x@m.example")
    with pytest.raises(UnknownAddressError):
        await town.resolve("-jon@m.example")


async def test_the_longest_of_many_parts_is_found(town: Town) -> None:
    await town.domain("m.example", separator="-")
    await town.mailbox("a@m.example")
    assert await town.reached("a" + "-" * 63 + "@m.example") == ["a@m.example[" + "-" * 62 + "]"]


async def test_without_a_separator_there_are_no_subaddresses(town: Town) -> None:
    await town.domain("n.example", separator="")
    await town.mailbox("ann@n.example")
    for address in ("ann+x@n.example", "ann-x@n.example"):
        with pytest.raises(UnknownAddressError):
            await town.resolve(address)


async def test_an_exact_mailbox_takes_no_subaddresses_and_a_shorter_one_does(town: Town) -> None:
    await town.domain("m.example", separator="-")
    await town.mailbox("ann@m.example")
    await town.mailbox("ann-work@m.example", is_exact=True)
    assert await town.reached("ann-work@m.example") == ["ann-work@m.example"]
    assert await town.reached("ann-work-x@m.example") == ["ann@m.example[work-x]"]


async def test_a_catch_all_comes_after_exact_and_subaddress(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@a.example")
    await town.alias("@a.example", "bob@a.example")
    assert await town.reached("ann@a.example") == ["ann@a.example"]
    assert await town.reached("ann+x@a.example") == ["ann@a.example[x]"]
    assert await town.reached("anything@a.example") == ["bob@a.example"]


async def test_an_alias_domain_comes_last(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@a.example")
    await town.domain_alias("z.example", "a.example")
    assert await town.reached("ann@z.example") == ["ann@a.example"]
    assert await town.reached("ann+x@z.example") == ["ann@a.example[x]"]
    await town.alias("ann@z.example", "bob@a.example")
    assert await town.reached("ann@z.example") == ["bob@a.example"]
    with pytest.raises(UnknownAddressError):
        await town.resolve("nobody@z.example")


async def test_the_catch_all_of_an_alias_domains_target_counts(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("@a.example", "ann@a.example")
    await town.domain_alias("z.example", "a.example")
    assert await town.reached("anything@z.example") == ["ann@a.example"]


async def test_an_alias_leads_to_mailboxes_and_elsewhere_each_once(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@b.example")
    await town.alias("team@a.example", "ann@a.example", "bob@b.example", "Out@Else.Example")
    await town.alias("all@a.example", "team@a.example", "ann@a.example", "Out@else.example")
    assert await town.reached("all@a.example") == ["ann@a.example", "bob@b.example", "Out@else.example"]


async def test_an_alias_leads_to_files_programs_and_nowhere_at_once(town: Town) -> None:
    await town.alias(
        "mix@a.example", "maildir:/srv/mail/", "mbox:/srv/box", "program:/bin/cat 'a b'", "discard:"
    )
    assert await town.resolve("mix@a.example") == Resolution(
        maildirs=("/srv/mail/",), mboxes=("/srv/box",), programs=("/bin/cat 'a b'",), discard=True
    )


async def test_a_mailbox_with_destinations_keeps_its_own_copy(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("ann@a.example", "out@else.example", "ann@a.example")
    assert await town.reached("ann@a.example") == ["ann@a.example", "out@else.example"]


async def test_the_detail_goes_along_through_an_alias(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.alias("info@a.example", "ann@a.example")
    await town.alias("shop@a.example", "ann+shop@a.example")
    assert await town.reached("info+x@a.example") == ["ann@a.example[x]"]
    assert await town.reached("shop+x@a.example") == ["ann@a.example[shop]"]


async def test_an_alias_that_leads_to_itself_ends_there(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.database.write(link, "a.example", "ann", "ann@a.example", "ann+copy@a.example")
    assert await town.reached("ann@a.example") == ["ann@a.example"]
    await town.database.write(link, "a.example", "void", "void@a.example")
    with pytest.raises(UnknownAddressError):
        await town.resolve("void@a.example")


async def test_a_catch_all_that_leads_to_an_unknown_name_ends_there(town: Town) -> None:
    await town.database.write(link, "a.example", "", "nobody@a.example")
    with pytest.raises(UnknownAddressError):
        await town.resolve("anything@a.example")


async def test_a_circle_is_an_error_even_beside_a_mailbox(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.database.write(link, "a.example", "one", "ann@a.example", "two@a.example")
    await town.database.write(link, "a.example", "two", "one+x@a.example")
    for address in ("one@a.example", "two@a.example"):
        with pytest.raises(AddressLoopError):
            await town.resolve(address)


async def chain(town: Town, length: int) -> None:
    """Make `length` addresses, c1 to the next to …, the last a mailbox."""
    await town.mailbox(f"c{length}@a.example")
    for number in range(1, length):
        await town.database.write(link, "a.example", f"c{number}", f"c{number + 1}@a.example")


async def test_twenty_addresses_one_behind_the_other_are_not_too_deep(town: Town) -> None:
    await chain(town, MAX_DEPTH)
    assert await town.reached("c1@a.example") == [f"c{MAX_DEPTH}@a.example"]


async def test_one_more_is_too_deep_on_the_longest_way(town: Town) -> None:
    await chain(town, MAX_DEPTH)
    await town.database.write(link, "a.example", "c0", f"c{MAX_DEPTH}@a.example", "c1@a.example")
    with pytest.raises(AddressLoopError):
        await town.resolve("c0@a.example")


async def test_too_wide_an_address_is_refused(town: Town) -> None:
    values = [f"x{number}@else.example" for number in range(MAX_EXPANDED + 1)]
    await town.database.write(link, "a.example", "few", *values[:MAX_EXPANDED])
    resolution = await town.resolve("few@a.example")
    assert isinstance(resolution, Resolution)
    assert resolution.forwards == tuple(values[:MAX_EXPANDED])
    await town.database.write(link, "a.example", "few", values[MAX_EXPANDED])
    with pytest.raises(AddressLoopError):
        await town.resolve("few@a.example")


async def test_a_disabled_domain_and_a_disabled_mailbox_are_errors_of_their_own(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await disable(town, "ann@a.example")
    with pytest.raises(MailboxDisabledError):
        await town.resolve("ann@a.example")
    await town.disable_domain("a.example")
    for address in ("ann@a.example", "nobody@a.example", "postmaster@a.example"):
        with pytest.raises(MailboxDisabledError):
            await town.resolve(address)


async def test_an_alias_leaves_out_what_is_disabled_or_gone(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@a.example")
    await town.mailbox("eve@b.example")
    await town.alias("team@a.example", "ann@a.example", "bob@a.example", "eve@b.example")
    await town.database.write(link, "a.example", "team", "gone@a.example")
    await disable(town, "bob@a.example")
    await town.disable_domain("b.example")
    assert await town.reached("team@a.example") == ["ann@a.example"]
    await disable(town, "ann@a.example")
    with pytest.raises(MailboxDisabledError):
        await town.resolve("team@a.example")


async def test_an_alias_domain_of_a_disabled_domain_is_disabled(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.domain_alias("z.example", "a.example")
    await town.disable_domain("a.example")
    with pytest.raises(MailboxDisabledError):
        await town.resolve("ann@z.example")


async def test_postmaster_and_abuse_reach_the_owners_first_mailbox(town: Town) -> None:
    await town.domain_alias("z.example", "a.example")
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@a.example")
    for address in ("postmaster@a.example", "Abuse@a.example", "POSTMASTER@z.example"):
        assert await town.reached(address) == ["ann@a.example"]
    with pytest.raises(UnknownAddressError):
        await town.resolve("webmaster@a.example")


async def test_without_a_mailbox_of_the_owner_they_reach_the_administrator(town: Town) -> None:
    await town.domain("r.example", owner="root")
    with pytest.raises(UnknownAddressError):
        await town.resolve("postmaster@a.example")
    await town.mailbox("root@r.example")
    assert await town.reached("postmaster@a.example") == ["root@r.example"]


async def test_postmaster_can_be_routed_elsewhere(town: Town) -> None:
    await town.mailbox("ann@a.example")
    await town.mailbox("bob@a.example")
    await town.alias("postmaster@a.example", "bob@a.example")
    assert await town.reached("postmaster@a.example") == ["bob@a.example"]
    await town.alias("@a.example", "out@else.example")
    assert await town.reached("abuse@a.example") == ["out@else.example"]


async def test_an_alias_domain_chain_that_should_not_exist_ends(town: Town) -> None:
    async def break_it(tx: Transaction) -> None:
        await tx.execute(
            "UPDATE domain SET target_id = (SELECT d.id FROM domain d WHERE d.name = 'b.example')"
            " WHERE name = 'a.example'"
        )
        await tx.execute(
            "UPDATE domain SET target_id = (SELECT d.id FROM domain d WHERE d.name = 'a.example')"
            " WHERE name = 'b.example'"
        )

    await town.database.write(break_it)
    with pytest.raises(AddressLoopError):
        await town.resolve("ann@a.example")
