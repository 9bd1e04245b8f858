"""`freehold app-password`: passwords of one device or program, for named uses only."""

from datetime import UTC, datetime

import click

from freehold.accounts import app_passwords
from freehold.accounts.model import HOST_ADMINISTRATOR, AppPassword, Use
from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import say, show_record, show_table, wants_json
from freehold.cli.prompts import confirm, yes_option
from freehold.kernel.quantities import parse_seconds

_USES = [use.value for use in Use]


@group("app-password", "Passwords for one device or program each.")
def command() -> None:
    """Group the commands on app passwords."""


@command.command("add")
@click.argument("login")
@click.option("--label", required=True, help="What it is for, such as Phone.")
@click.option(
    "--use",
    "uses",
    multiple=True,
    required=True,
    type=click.Choice(_USES),
    help="What it may be used for; repeat it for several.",
)
@click.option("--expires", metavar="TIME", help="How long it is valid, such as 90d.")
@with_database
async def add(
    context: DatabaseContext, *, login: str, label: str, uses: tuple[str, ...], expires: str | None
) -> None:
    """Give LOGIN (a mailbox's address or login name) an app password; it is shown once."""
    now_ms = context.runtime.clock.now_ms()
    new = await context.runtime.database.write(
        app_passwords.add_app_password,
        HOST_ADMINISTRATOR,
        login,
        secret=app_passwords.make_secret(),
        label=label,
        uses=tuple(Use(use) for use in uses),
        expires_ms=None if expires is None else now_ms + _milliseconds(expires),
        now_ms=now_ms,
    )
    if not wants_json():
        say("This password is shown only now:")
    show_record([*_fields(new.app_password), ("Password", new.secret)])


@command.command("list")
@click.argument("login")
@with_database
async def list_(context: DatabaseContext, login: str) -> None:
    """List the app passwords of LOGIN."""
    found = await context.runtime.database.read(app_passwords.list_app_passwords, HOST_ADMINISTRATOR, login)
    show_table(
        ["Number", "Label", "Uses", "Created", "Expires", "Last used"],
        [[value for _, value in _fields(app_password)] for app_password in found],
        empty="no app passwords: freehold app-password add LOGIN --label Phone --use imap",
    )


@command.command("revoke")
@click.argument("login")
@click.argument("number", type=int)
@yes_option
@with_database
async def revoke(context: DatabaseContext, *, login: str, number: int, yes: bool) -> None:
    """Make an app password of LOGIN invalid at once, by its number in the list."""
    confirm(f"Revoke app password {number} of {login}?", yes=yes)
    of = await context.runtime.database.write(
        app_passwords.revoke_app_password, HOST_ADMINISTRATOR, login, number
    )
    say(f"app password {number} of {of.name} revoked")
    if wants_json():
        show_record([("Login", of.name), ("Number", number)])


def _fields(app_password: AppPassword) -> list[tuple[str, object]]:
    return [
        ("Number", app_password.id),
        ("Label", app_password.label),
        ("Uses", sorted(use.value for use in app_password.uses)),
        ("Created", _moment(app_password.created_ms)),
        ("Expires", _moment(app_password.expires_ms)),
        ("Last used", _moment(app_password.last_used_ms)),
    ]


def _moment(moment_ms: int | None) -> str | None:
    if moment_ms is None:
        return None
    return datetime.fromtimestamp(moment_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(text: str) -> int:
    try:
        return round(parse_seconds(text) * 1000)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from error
