"""`freehold domain`: the domains that this server is responsible for."""

import click

from freehold.accounts import domains
from freehold.accounts.domain_names import to_unicode
from freehold.accounts.model import HOST_ADMINISTRATOR, Domain
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_json, show_record, show_table, wants_json
from freehold.cli.prompts import confirm, yes_option
from freehold.modules.mail.addresses.domains import domain_content, remove_domain

_SEPARATORS = {"plus": "+", "minus": "-", "none": ""}


@group("domain", "Domains that this server is responsible for.")
def command() -> None:
    """Group the commands on domains."""


@command.command("add")
@click.argument("name")
@click.option("--owner", metavar="NAME", help="Whose it is; the first administrator's if not given.")
@click.option(
    "--separator",
    type=click.Choice(list(_SEPARATORS)),
    default="plus",
    show_default=True,
    help="What stands before a subaddress: ann+lists or ann-lists reach ann.",
)
@with_database
async def add(context: DatabaseContext, name: str, owner: str | None, separator: str) -> None:
    """Add a domain, such as example.org."""
    domain = await context.runtime.database.write(
        domains.add_domain,
        HOST_ADMINISTRATOR,
        name,
        owner=owner,
        separator=_SEPARATORS[separator],
        now_ms=context.runtime.clock.now_ms(),
    )
    _show_done(domain, f"domain {domain.name} added; next: freehold mailbox add NAME@{domain.name}")


@command.command("alias")
@click.argument("alias")
@click.argument("target")
@with_database
async def alias_(context: DatabaseContext, alias: str, target: str) -> None:
    """Make ALIAS an alias of the whole domain TARGET: every address there exists here too."""
    domain = await context.runtime.database.write(
        domains.alias_domain, HOST_ADMINISTRATOR, alias, target, now_ms=context.runtime.clock.now_ms()
    )
    _show_done(domain, f"domain {domain.name} is now an alias of {domain.target}")


@command.command("list")
@with_database
async def list_(context: DatabaseContext) -> None:
    """List all domains."""
    found = await context.runtime.database.read(domains.list_domains, HOST_ADMINISTRATOR)
    show_table(
        ["Name", "Owner", "Alias of", "Disabled"],
        [[domain.name, domain.owner, domain.target, domain.is_disabled] for domain in found],
        empty="no domains yet: freehold domain add example.org",
    )


@command.command("show")
@click.argument("name")
@with_database
async def show(context: DatabaseContext, name: str) -> None:
    """Show a domain."""
    content = await context.runtime.database.read(domain_content, HOST_ADMINISTRATOR, name)
    domain = content.domain
    show_record(
        [
            ("Name", domain.name),
            ("Shown as", to_unicode(domain.name)),
            ("Owner", domain.owner),
            ("Alias of", domain.target),
            ("Separator", domain.separator),
            ("Disabled", domain.is_disabled),
            ("Addresses", content.address_count),
            ("Mailboxes", len(content.mailboxes)),
        ]
    )


@command.command("disable")
@click.argument("name")
@with_database
async def disable(context: DatabaseContext, name: str) -> None:
    """Refuse mail to a domain until it is enabled again; what is there stays."""
    await _set_disabled(context, name, is_disabled=True)


@command.command("enable")
@click.argument("name")
@with_database
async def enable(context: DatabaseContext, name: str) -> None:
    """Take mail to a domain again."""
    await _set_disabled(context, name, is_disabled=False)


@command.command("remove")
@click.argument("name")
@click.option(
    "--with-addresses", is_flag=True, help="Also its aliases, and its mailboxes with all their mail."
)
@yes_option
@with_database
async def remove(context: DatabaseContext, *, name: str, with_addresses: bool, yes: bool) -> None:
    """Remove a domain."""
    runtime = context.runtime
    content = await runtime.database.read(domain_content, HOST_ADMINISTRATOR, name)
    if with_addresses or not content.address_count:
        what = (
            f", {content.address_count} addresses and {len(content.mailboxes)} mailboxes with all their mail"
        )
        confirm(f"Remove {content.domain.name}{what if content.address_count else ''}?", yes=yes)
    removed = await runtime.database.write(
        remove_domain, runtime.blobs, HOST_ADMINISTRATOR, name, with_addresses=with_addresses
    )
    _show_done(removed.domain, f"domain {removed.domain.name} removed")


async def _set_disabled(context: DatabaseContext, name: str, *, is_disabled: bool) -> None:
    domain = await context.runtime.database.write(
        domains.set_domain_disabled, HOST_ADMINISTRATOR, name, is_disabled=is_disabled
    )
    _show_done(domain, f"domain {domain.name} is {'disabled' if is_disabled else 'enabled'}")


def _show_done(domain: Domain, text: str) -> None:
    say(text)
    if wants_json():
        show_json(domain)
