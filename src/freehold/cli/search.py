"""`freehold search`: the index of what messages say."""

import click

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_table
from freehold.modules.mail.addresses.mailboxes import list_mailboxes, visible_mailbox
from freehold.modules.mail.search.manage import forget_index, index_status

MAILBOX = click.option("--mailbox", metavar="ADDRESS", help="Only this mailbox.")


@group("search", "The index that searches for text use.")
def command() -> None:
    """Show the index, or have it made anew."""


@command.command("status")
@MAILBOX
@with_database
async def status(context: DatabaseContext, mailbox: str | None) -> None:
    """Show how far each mailbox is indexed, and what the index takes."""
    ids = await _mailbox_ids(context, mailbox)
    found = await context.runtime.database.read_long(index_status, ids)
    show_table(
        ("Mailbox", "Messages", "Behind", "Contents", "Segments", "Size bytes"),
        [
            (each.address, each.messages, each.behind, each.contents, each.segments, each.size_bytes)
            for each in found
        ],
        empty="there are no mailboxes: freehold mailbox add",
    )


@command.command("rebuild")
@MAILBOX
@with_database
async def rebuild(context: DatabaseContext, mailbox: str | None) -> None:
    """Throw the index away; the running server makes it anew, from within a minute on."""
    ids = await _mailbox_ids(context, mailbox)
    for mailbox_id in ids:
        await forget_index(context.runtime.database, mailbox_id)
    say(f"the index of {len(ids)} mailboxes will be made anew; searches are slower until then, and right")


async def _mailbox_ids(context: DatabaseContext, address: str | None) -> list[int]:
    database = context.runtime.database
    if address is not None:
        return [(await database.read(visible_mailbox, HOST_ADMINISTRATOR, address)).id]
    return [mailbox.id for mailbox in await database.read(list_mailboxes, HOST_ADMINISTRATOR)]
