"""`freehold owner`: people who own domains and mailboxes."""

import click

from freehold.accounts import owners
from freehold.accounts.access import visible_owner
from freehold.accounts.domains import list_domains
from freehold.accounts.model import HOST_ADMINISTRATOR, Owner, OwnerLimits
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_json, show_record, show_table, wants_json
from freehold.cli.prompts import confirm, yes_option
from freehold.cli.sizes import parse_size, size_text
from freehold.modules.mail.addresses.mailboxes import list_mailboxes


@group("owner", "People who own domains and mailboxes.")
def command() -> None:
    """Group the commands on owners."""


@command.command("add")
@click.argument("name")
@click.option("--administrator", is_flag=True, help="May see and change everything.")
@click.option("--max-domains", type=click.IntRange(min=0), metavar="N", help="Domains at most.")
@click.option("--max-mailboxes", type=click.IntRange(min=0), metavar="N", help="Mailboxes at most.")
@click.option("--max-storage", metavar="SIZE", help="What all mailboxes together may hold.")
@click.option("--max-messages", type=click.IntRange(min=0), metavar="N", help="Messages per day at most.")
@with_database
async def add(  # noqa: PLR0913 - click gives one argument for each option
    context: DatabaseContext,
    *,
    name: str,
    administrator: bool,
    max_domains: int | None,
    max_mailboxes: int | None,
    max_storage: str | None,
    max_messages: int | None,
) -> None:
    """Add an owner."""
    owner = await context.runtime.database.write(
        owners.add_owner,
        HOST_ADMINISTRATOR,
        name,
        is_administrator=administrator,
        limits=OwnerLimits(max_domains, max_mailboxes, parse_size(max_storage), max_messages),
        now_ms=context.runtime.clock.now_ms(),
    )
    _show_done(owner, f"owner {owner.name} added; next: freehold domain add NAME --owner {owner.name}")


@command.command("list")
@with_database
async def list_(context: DatabaseContext) -> None:
    """List all owners."""
    found = await context.runtime.database.read(owners.list_owners, HOST_ADMINISTRATOR)
    show_table(
        [
            "Name",
            "Administrator",
            "Max domains",
            "Max mailboxes",
            "Max storage bytes",
            "Max messages per day",
        ],
        [
            [
                owner.name,
                owner.is_administrator,
                owner.limits.max_domains,
                owner.limits.max_mailboxes,
                owner.limits.max_storage_bytes,
                owner.limits.max_messages_per_day,
            ]
            for owner in found
        ],
        empty="no owners yet: freehold owner add NAME --administrator",
    )


@command.command("show")
@click.argument("name")
@with_database
async def show(context: DatabaseContext, name: str) -> None:
    """Show an owner, with its domains and mailboxes."""
    database = context.runtime.database
    owner = await database.read(visible_owner, HOST_ADMINISTRATOR, name)
    domains = await database.read(list_domains, HOST_ADMINISTRATOR)
    mailboxes = await database.read(list_mailboxes, HOST_ADMINISTRATOR)
    show_record(
        [
            ("Name", owner.name),
            ("Administrator", owner.is_administrator),
            ("Max domains", owner.limits.max_domains),
            ("Max mailboxes", owner.limits.max_mailboxes),
            ("Max storage", size_text(owner.limits.max_storage_bytes)),
            ("Max messages per day", owner.limits.max_messages_per_day),
            ("Domains", [domain.name for domain in domains if domain.owner_id == owner.id]),
            ("Mailboxes", [mailbox.address for mailbox in mailboxes if mailbox.owner_id == owner.id]),
        ]
    )


@command.command("storage")
@click.argument("name")
@click.argument("size")
@with_database
async def storage(context: DatabaseContext, name: str, size: str) -> None:
    """Set how much an owner's mailboxes may hold together: a size such as 50GiB, or none for no limit."""
    owner = await context.runtime.database.write(
        owners.set_storage, HOST_ADMINISTRATOR, name, parse_size(size)
    )
    _show_done(owner, f"the storage of {owner.name} is {size_text(owner.limits.max_storage_bytes)}")


@command.command("remove")
@click.argument("name")
@yes_option
@with_database
async def remove(context: DatabaseContext, *, name: str, yes: bool) -> None:
    """Remove an owner that has neither domains nor mailboxes any longer."""
    database = context.runtime.database
    owner = await database.read(visible_owner, HOST_ADMINISTRATOR, name)
    confirm(f"Remove owner {owner.name}?", yes=yes)
    removed = await database.write(owners.remove_owner, HOST_ADMINISTRATOR, name)
    _show_done(removed, f"owner {removed.name} removed")


def _show_done(owner: Owner, text: str) -> None:
    say(text)
    if wants_json():
        show_json(owner)
