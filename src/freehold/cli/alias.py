"""`freehold alias`: addresses that lead to other addresses, files, programs or nowhere."""

import click

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_json, show_table, wants_json
from freehold.cli.prompts import confirm, yes_option
from freehold.modules.mail.addresses import aliases
from freehold.modules.mail.addresses.model import Alias


@group("alias", "Addresses that lead to others.")
def command() -> None:
    """Group the commands on aliases."""


@command.command("add")
@click.argument("address")
@click.argument("destinations", nargs=-1, required=True, metavar="DEST...")
@with_database
async def add(context: DatabaseContext, address: str, destinations: tuple[str, ...]) -> None:
    """Let ADDRESS lead to each DEST, beside those that it has.

    ADDRESS is like info@example.org, or @example.org for all mail that nothing else matches. DEST is an
    address (here or elsewhere), maildir:/path/, mbox:/path, 'program:/path argument', or discard:
    """
    alias = await context.runtime.database.write(
        aliases.add_alias,
        HOST_ADMINISTRATOR,
        address,
        destinations,
        now_ms=context.runtime.clock.now_ms(),
    )
    _show_done(alias, f"{alias.address} leads to {', '.join(map(str, alias.destinations))}")


@command.command("list")
@with_database
async def list_(context: DatabaseContext) -> None:
    """List all aliases."""
    found = await context.runtime.database.read(aliases.list_aliases, HOST_ADMINISTRATOR)
    show_table(
        ["Address", "Owner", "Destinations"],
        [[alias.address, alias.owner, list(map(str, alias.destinations))] for alias in found],
        empty="no aliases yet: freehold alias add info@example.org ann@example.org",
    )


@command.command("remove")
@click.argument("address")
@click.argument("destinations", nargs=-1, metavar="[DEST...]")
@yes_option
@with_database
async def remove(context: DatabaseContext, *, address: str, destinations: tuple[str, ...], yes: bool) -> None:
    """Remove the named destinations of ADDRESS, or all of them."""
    runtime = context.runtime
    alias = await runtime.database.read(aliases.visible_alias, HOST_ADMINISTRATOR, address)
    what = ", ".join(destinations or map(str, alias.destinations))
    confirm(f"Let {alias.address} no longer lead to {what}?", yes=yes)
    removed = await runtime.database.write(aliases.remove_alias, HOST_ADMINISTRATOR, address, destinations)
    _show_done(removed, f"{removed.address} no longer leads to {what}")


def _show_done(alias: Alias, text: str) -> None:
    say(text)
    if wants_json():
        show_json(
            {
                "address": alias.address,
                "owner": alias.owner,
                "destinations": list(map(str, alias.destinations)),
            }
        )
