"""`freehold folder`: who may use folders of others."""

import click

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_json, show_table, wants_json
from freehold.modules.mail.addresses import shares as mailbox_shares
from freehold.modules.mail.events import FolderChanged, FolderListChanged
from freehold.modules.mail.folders.access import Access
from freehold.modules.mail.folders.rights import parse_rights, rights_text
from freehold.modules.mail.folders.share import Entry, Holder


@group("folder", "Folders that people share with each other.")
def command() -> None:
    """Group the commands on shared folders."""


@command.command("share", context_settings={"ignore_unknown_options": True})
@click.argument("address")
@click.argument("folder")
@click.argument("identifier")
@click.argument("rights")
@with_database
async def share(context: DatabaseContext, address: str, folder: str, identifier: str, rights: str) -> None:
    """Let IDENTIFIER do with FOLDER of the mailbox ADDRESS what RIGHTS say, such as lrs, and no more."""
    runtime = context.runtime
    entry = Entry(identifier, parse_rights(rights))
    access, holder = await runtime.database.write(
        mailbox_shares.share_folder, HOST_ADMINISTRATOR, address, folder, entry
    )
    _publish(context, access, holder)
    _show_done(
        access, entry, f"{identifier} has the rights {rights_text(entry.rights) or 'none'} on {folder}"
    )


@command.command("unshare", context_settings={"ignore_unknown_options": True})
@click.argument("address")
@click.argument("folder")
@click.argument("identifier")
@with_database
async def unshare(context: DatabaseContext, address: str, folder: str, identifier: str) -> None:
    """Remove what was set for IDENTIFIER on FOLDER of the mailbox ADDRESS."""
    runtime = context.runtime
    access, holder = await runtime.database.write(
        mailbox_shares.unshare_folder, HOST_ADMINISTRATOR, address, folder, identifier
    )
    _publish(context, access, holder)
    _show_done(access, Entry(identifier, parse_rights("")), f"{folder} has no entry for {identifier}")


@command.command("shares")
@click.argument("address")
@with_database
async def shares(context: DatabaseContext, address: str) -> None:
    """List with whom the mailbox ADDRESS shares its folders."""
    found = await context.runtime.database.read(mailbox_shares.list_shares, HOST_ADMINISTRATOR, address)
    show_table(
        ["Folder", "Identifier", "Rights"],
        [[each.folder, each.entry.identifier, rights_text(each.entry.rights)] for each in found],
        empty="nothing is shared: freehold folder share ann@example.org INBOX bob@example.org lrs",
    )


def _publish(context: DatabaseContext, access: Access, holder: Holder) -> None:
    """Have the running server's sessions look at their rights and folders."""
    bus = context.runtime.bus
    bus.publish(FolderChanged(access.mailbox_id, access.folder.id, 0))
    bus.publish(FolderListChanged(access.mailbox_id))
    if holder.id > 0 and holder.id != access.mailbox_id:
        bus.publish(FolderListChanged(holder.id))


def _show_done(access: Access, entry: Entry, text: str) -> None:
    say(text)
    if wants_json():
        show_json(
            {
                "folder": access.folder.name,
                "identifier": entry.identifier,
                "rights": rights_text(entry.rights),
            }
        )
