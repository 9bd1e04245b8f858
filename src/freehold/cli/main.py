"""The `freehold` command: which commands there are, and where each one lives.

A command's file is imported when it is called, so that `freehold version` does not pay for the mail server.
"""

from importlib import import_module
from typing import Any, Final

import click

from freehold.cli.context import FreeholdGroup

COMMANDS: Final = (
    "serve",
    "check",
    "status",
    "version",
    "owner",
    "domain",
    "mailbox",
    "folder",
    "alias",
    "app-password",
    "queue",
    "message",
    "search",
)
"""Each lives in `freehold.cli.NAME` (hyphens as underscores), as the attribute `command`."""


class LazyGroup(FreeholdGroup):
    """The top group: knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help page."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"freehold.cli.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"freehold.cli.{cmd_name} has no click command")
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 refused or failed, 2 used wrongly.",
)
def cli() -> None:
    """Freehold: a server for people who own a domain."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; ends the process with the exit code."""
    return cli(arguments, prog_name="freehold")
