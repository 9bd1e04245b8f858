"""`freehold check`: would the server start? Looks at everything that it needs, and changes nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from freehold.cli.context import FreeholdCommand, load_configuration
from freehold.cli.output import ExitCode, show_table
from freehold.errors import FreeholdError

if TYPE_CHECKING:
    from freehold.kernel.config import Configuration


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    good: bool
    detail: str


@click.command("check", cls=FreeholdCommand)
def command() -> None:
    """Check the configuration, the data folder, the database and the ports.

    Exit code 1 when the server could not start.
    """
    configuration = load_configuration()
    findings = [
        Finding("configuration", good=True, detail=str(configuration.source or "local mode, no file")),
        *look(configuration),
    ]
    show_table(
        ("Checked", "Good", "Detail"),
        [(finding.subject, finding.good, finding.detail) for finding in findings],
    )
    if not all(finding.good for finding in findings):
        click.get_current_context().exit(ExitCode.FAILED)


def look(configuration: "Configuration") -> Iterator[Finding]:
    """Yield what is found, one thing after the other."""
    from freehold.kernel.data_folder import is_running  # noqa: PLC0415 - only here

    yield _check_user(configuration)
    data = configuration.settings.data
    running = is_running(data)
    if data.is_dir():
        yield Finding("data folder", good=True, detail=f"{data}{' (a server runs on it)' if running else ''}")
        yield _check_database(configuration)
    else:
        yield Finding("data folder", good=True, detail=f"{data} is made at the first start")
    yield from _check_ports(configuration, running=running)


def _check_user(configuration: "Configuration") -> Finding:
    from freehold.kernel.server import server_user  # noqa: PLC0415

    try:
        user = server_user(configuration)
    except FreeholdError as error:
        return Finding("user", good=False, detail=error.public)
    return Finding("user", good=True, detail=user.name if user else "who starts it")


def _check_database(configuration: "Configuration") -> Finding:
    from freehold.app import all_modules  # noqa: PLC0415
    from freehold.kernel.runtime import check_database  # noqa: PLC0415

    try:
        detail = asyncio.run(check_database(configuration, all_modules()))
    except FreeholdError as error:
        return Finding("database", good=False, detail=error.public)
    return Finding("database", good=True, detail=detail)


def _check_ports(configuration: "Configuration", *, running: bool) -> Iterator[Finding]:
    """Open and close every socket; while the server runs on the folder, the ports are its own."""
    from freehold.app import all_modules  # noqa: PLC0415
    from freehold.kernel.sockets import try_listeners  # noqa: PLC0415

    for name, endpoint, problem in try_listeners(configuration, all_modules(), in_use_is_fine=running):
        yield Finding(f"listen.{name}", good=not problem, detail=problem or str(endpoint))
