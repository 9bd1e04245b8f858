"""`freehold version`: what runs here."""

import platform

import click

from freehold import __version__
from freehold.cli.context import FreeholdCommand
from freehold.cli.output import show_record


@click.command("version", cls=FreeholdCommand)
def command() -> None:
    """Print the version of Freehold and of what it runs on."""
    show_record(
        [
            ("freehold", __version__),
            ("python", platform.python_version()),
            ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ]
    )
