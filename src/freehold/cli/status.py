"""`freehold status`: whether the server runs, and what it is doing."""

import time
from collections.abc import Mapping

import click

from freehold.cli.context import DatabaseContext, FreeholdCommand, with_database
from freehold.cli.output import ExitCode, json_key, say, show_json, show_table, wants_json
from freehold.kernel.status import ServerStatus, ask_status


@click.command("status", cls=FreeholdCommand)
@with_database
async def command(context: DatabaseContext) -> None:
    """Show the server's processes, listeners and queue. Exit code 1 when it does not run."""
    status = ask_status(context.configuration.settings.data)
    numbers: dict[str, int] = {}
    for module in context.modules:
        if module.status is not None:
            numbers.update(await module.status(context.runtime))
    if wants_json():
        counts = {json_key(name): value for name, value in numbers.items()}
        show_json({"running": status is not None, "server": status, "counts": counts})
    elif status is not None:
        _show(status, numbers)
    else:
        say(f"not running on {context.configuration.settings.data}")
        _show_numbers(numbers)
    if status is None:
        click.get_current_context().exit(ExitCode.FAILED)


def _show(status: ServerStatus, numbers: Mapping[str, int]) -> None:
    say(f"running as process {status.pid} for {duration(time.time() - status.started)}")
    say("")
    show_table(
        ("Worker", "Process", "Ready", "Up", "Restarts"),
        [
            (one.name, one.pid or None, one.ready, duration(one.up_seconds), one.restarts)
            for one in status.workers
        ],
    )
    say("")
    show_table(
        ("Listener", "TLS", "Addresses"),
        [(one.name, one.tls, ", ".join(one.addresses)) for one in status.listeners],
    )
    _show_numbers(numbers)


def _show_numbers(numbers: Mapping[str, int]) -> None:
    if numbers:
        say("")
    for name, value in numbers.items():
        say(f"{name}: {value}")


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: "3d 4h", "5m 2s"."""
    left = int(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, left = divmod(left, size)
        if amount or parts:
            parts.append(f"{amount}{unit}")
    return " ".join(parts[:2]) or "0s"
