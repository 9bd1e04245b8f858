"""What every command shares: `--config`, `--data` and `--json` in any place, and an opened database.

A command that needs the database is an async function:

    @group("domain", "Domains that this server is responsible for.")
    def command() -> None: ...

    @command.command("add")
    @click.argument("name")
    @with_database
    async def add(context: DatabaseContext, name: str) -> None: ...

`FreeholdError`s raised in it become one line on stderr and exit code 1.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from freehold.cli.output import fail
from freehold.errors import FreeholdError

if TYPE_CHECKING:  # the chassis alone must not import the whole server
    from freehold.kernel.config import Configuration
    from freehold.kernel.module import Module, Runtime

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])

CONFIG = "freehold.config"
DATA = "freehold.data"
JSON = "freehold.json"


@dataclass(frozen=True, slots=True)
class DatabaseContext:
    """What an async command is given. News published on `runtime.bus` reaches the running server."""

    configuration: "Configuration"
    modules: "tuple[Module, ...]"
    runtime: "Runtime"


def global_options(command: F) -> F:
    """Give a command `--config`, `--data` and `--json`; what is given after wins over before."""
    for option in (
        click.Option(
            ["--config"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            expose_value=False,
            callback=_remember(CONFIG),
            is_eager=True,
            help="Configuration file.",
        ),
        click.Option(
            ["--data"],
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            expose_value=False,
            callback=_remember(DATA),
            is_eager=True,
            help="Data folder, in place of the configured one.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember(JSON),
            is_eager=True,
            help="Print JSON.",
        ),
    ):
        command.params.append(option)  # type: ignore[attr-defined] # F is a click.Command or Group
    return command


class FreeholdCommand(click.Command):
    """A command with the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        global_options(self)


class FreeholdGroup(click.Group):
    """A group whose commands and groups have the global options, and that guesses mistyped words."""

    command_class = FreeholdCommand
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        global_options(self)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a wrong word is answered with the nearest right one."""
        from freehold.kernel.suggest import nearest  # noqa: PLC0415 - difflib only when it is needed

        word = args[0]
        if ctx.resilient_parsing or word.startswith("-") or self.get_command(ctx, word) is not None:
            return super().resolve_command(ctx, args)
        guess = nearest(word, self.list_commands(ctx))
        hint = f" Did you mean {guess!r}?" if guess else ""
        raise click.UsageError(f"No such command {word!r}.{hint}", ctx)


def group(name: str, summary: str) -> Callable[[Callable[..., None]], FreeholdGroup]:
    """Return a decorator that makes a `FreeholdGroup`; `summary` is its help text."""
    return click.group(name, cls=FreeholdGroup, help=summary)


def load_configuration() -> "Configuration":
    """Return the configuration that the options of the running command ask for."""
    from freehold.app import load_configuration as load  # noqa: PLC0415 - help and version need no modules

    meta = click.get_current_context().meta
    try:
        return load(meta.get(CONFIG), meta.get(DATA))
    except FreeholdError as error:
        fail(error.public)


def with_database(
    command: Callable[Concatenate[DatabaseContext, P], Awaitable[None]],
) -> Callable[P, None]:
    """Make a click callback of an async command that is given a `DatabaseContext`.

    The database is opened (and brought up to date) before and closed after. Run by root on a data folder
    of somebody else, the command first becomes that user, so that no file changes its owner.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from freehold.app import all_modules  # noqa: PLC0415
        from freehold.kernel.privileges import become_owner  # noqa: PLC0415

        configuration = load_configuration()
        data = configuration.settings.data
        if not data.is_dir():
            fail(f"there is no data folder {data}: start the server once, or name it with --data")

        async def opened() -> None:
            from freehold.kernel.bus_client import OneShotBus  # noqa: PLC0415
            from freehold.kernel.runtime import open_runtime  # noqa: PLC0415

            bus = OneShotBus(data)
            modules = all_modules()
            async with open_runtime(configuration, modules, bus) as runtime:
                await command(DatabaseContext(configuration, modules, runtime), *args, **kwargs)

        try:
            become_owner(data)
            asyncio.run(opened())
        except FreeholdError as error:
            fail(error.public)

    return run


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Store an option's value for the whole invocation, unless this place did not give it."""

    def store(ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if value:
            ctx.meta[key] = value
        return value

    return store
