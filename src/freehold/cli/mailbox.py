"""`freehold mailbox`: people's mailboxes."""

import click

from freehold.accounts.model import HOST_ADMINISTRATOR, Credentials
from freehold.accounts.passwords import Passwords
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_json, show_record, show_table, wants_json
from freehold.cli.prompts import confirm, password_stdin_option, read_password, yes_option
from freehold.cli.sizes import parse_size, size_text
from freehold.modules.mail.addresses import mailboxes
from freehold.modules.mail.addresses.model import Mailbox


@group("mailbox", "People's mailboxes.")
def command() -> None:
    """Group the commands on mailboxes."""


@command.command("add")
@click.argument("address")
@click.option("--login", metavar="NAME", help="A short name to log in with, beside the address.")
@click.option("--owner", metavar="NAME", help="Whose it is; the domain's owner's if not given.")
@click.option("--quota", metavar="SIZE", help="How much it may hold, such as 5GiB.")
@click.option("--exact", is_flag=True, help="No subaddresses: ann+lists does not reach ann.")
@password_stdin_option
@with_database
async def add(  # noqa: PLR0913 - click gives one argument for each option
    context: DatabaseContext,
    *,
    address: str,
    login: str | None,
    owner: str | None,
    quota: str | None,
    exact: bool,
    password_stdin: bool,
) -> None:
    """Add a mailbox, such as ann@example.org."""
    quota_bytes = parse_size(quota)
    credentials = await _credentials(from_stdin=password_stdin)
    new = mailboxes.NewMailbox(address, credentials, login, owner, quota_bytes, exact)
    mailbox = await context.runtime.database.write(
        mailboxes.add_mailbox, HOST_ADMINISTRATOR, new, now_ms=context.runtime.clock.now_ms()
    )
    _show_done(mailbox, f"mailbox {mailbox.address} added; it logs in as {mailbox.login}")


@command.command("list")
@with_database
async def list_(context: DatabaseContext) -> None:
    """List all mailboxes."""
    found = await context.runtime.database.read(mailboxes.list_mailboxes, HOST_ADMINISTRATOR)
    if wants_json():
        show_json(found)
        return
    show_table(
        ["Address", "Login", "Owner", "Used", "Quota", "Messages", "Disabled"],
        [
            [
                mailbox.address,
                mailbox.login,
                mailbox.owner,
                size_text(mailbox.used_bytes),
                size_text(mailbox.quota_bytes),
                mailbox.message_count,
                mailbox.is_disabled,
            ]
            for mailbox in found
        ],
        empty="no mailboxes yet: freehold mailbox add ann@example.org",
    )


@command.command("show")
@click.argument("address")
@with_database
async def show(context: DatabaseContext, address: str) -> None:
    """Show a mailbox."""
    mailbox = await context.runtime.database.read(mailboxes.visible_mailbox, HOST_ADMINISTRATOR, address)
    if wants_json():
        show_json(mailbox)
        return
    show_record(
        [
            ("Address", mailbox.address),
            ("Login", mailbox.login),
            ("Owner", mailbox.owner),
            ("Used", size_text(mailbox.used_bytes)),
            ("Quota", size_text(mailbox.quota_bytes)),
            ("Messages", mailbox.message_count),
            ("Exact only", mailbox.is_exact),
            ("Expunged mail moves to Trash", mailbox.keeps_trash),
            ("Disabled", mailbox.is_disabled),
        ]
    )


@command.command("remove")
@click.argument("address")
@yes_option
@with_database
async def remove(context: DatabaseContext, *, address: str, yes: bool) -> None:
    """Remove a mailbox with all its mail."""
    runtime = context.runtime
    mailbox = await runtime.database.read(mailboxes.visible_mailbox, HOST_ADMINISTRATOR, address)
    confirm(f"Remove {mailbox.address} and its {mailbox.message_count} messages?", yes=yes)
    removed = await runtime.database.write(
        mailboxes.remove_mailbox, runtime.blobs, HOST_ADMINISTRATOR, address
    )
    _show_done(removed, f"mailbox {removed.address} removed")


@command.command("passwd")
@click.argument("address")
@password_stdin_option
@with_database
async def passwd(context: DatabaseContext, *, address: str, password_stdin: bool) -> None:
    """Set a mailbox's password."""
    runtime = context.runtime
    await runtime.database.read(mailboxes.visible_mailbox, HOST_ADMINISTRATOR, address)
    credentials = await _credentials(from_stdin=password_stdin)
    mailbox = await runtime.database.write(
        mailboxes.set_password, HOST_ADMINISTRATOR, address, credentials, now_ms=runtime.clock.now_ms()
    )
    _show_done(mailbox, f"the password of {mailbox.address} is set")


@command.command("quota")
@click.argument("address")
@click.argument("size")
@with_database
async def quota(context: DatabaseContext, address: str, size: str) -> None:
    """Set how much a mailbox may hold: a size such as 5GiB, or none for no limit."""
    mailbox = await context.runtime.database.write(
        mailboxes.set_quota, HOST_ADMINISTRATOR, address, parse_size(size)
    )
    _show_done(mailbox, f"the quota of {mailbox.address} is {size_text(mailbox.quota_bytes)}")


@command.command("trash")
@click.argument("address")
@click.argument("setting", type=click.Choice(["on", "off"]))
@with_database
async def trash(context: DatabaseContext, address: str, setting: str) -> None:
    """Set whether what is expunged moves to Trash instead: on or off."""
    mailbox = await context.runtime.database.write(
        mailboxes.set_keeps_trash, HOST_ADMINISTRATOR, address, keeps_trash=setting == "on"
    )
    does = "moves to Trash" if mailbox.keeps_trash else "is gone"
    _show_done(mailbox, f"what is expunged in {mailbox.address} {does}")


async def _credentials(*, from_stdin: bool) -> Credentials:
    password = read_password(from_stdin=from_stdin)
    passwords = Passwords(threads=1)
    try:
        return await passwords.make(password)
    finally:
        passwords.close()


def _show_done(mailbox: Mailbox, text: str) -> None:
    say(text)
    if wants_json():
        show_json(mailbox)
