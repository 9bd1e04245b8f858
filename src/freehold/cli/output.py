"""What commands say: tables and texts for people, JSON for programs, errors on stderr.

Every command prints through these functions, so `--json` and the exit codes mean the same everywhere:
0 done, 1 refused or failed, 2 used wrongly.
"""

import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NoReturn

import click
import msgspec

MAX_CELL_CHARS = 500
"""A longer value is cut in a table (never in JSON), so that one row cannot flood a terminal."""


class ExitCode(IntEnum):
    """What a command's exit status means."""

    OK = 0
    FAILED = 1
    USAGE = 2


def wants_json() -> bool:
    """Return whether the running command was called with `--json`."""
    context = click.get_current_context(silent=True)
    return bool(context is not None and context.meta.get("freehold.json"))


def say(text: str) -> None:
    """Print a line for people; with `--json` nothing, for stdout then holds only JSON."""
    if not wants_json():
        click.echo(printable(text))


def warn(text: str) -> None:
    """Print a line on stderr that does not change the outcome."""
    click.echo(f"warning: {printable(text)}", err=True)


def fail(text: str) -> NoReturn:
    """End the command with exit code 1 and `text` on stderr (as `{"error": …}` with `--json`)."""
    raise FailedError(text)


def show_json(value: object) -> None:
    """Print one JSON document; understands structs, dataclasses, datetimes, enums and bytes."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "none") -> None:
    """Print rows as a table, or as a JSON list of objects whose keys are the columns in snake_case.

    `empty` is said instead of a table without rows.
    """
    listed = [tuple(row) for row in rows]
    if wants_json():
        keys = [json_key(column) for column in columns]
        show_json([dict(zip(keys, row, strict=True)) for row in listed])
    elif not listed:
        click.echo(empty)
    else:
        cells = [[cell_text(value) for value in row] for row in listed]
        if sys.stdout.isatty():
            _show_rich_table(columns, cells)
        else:
            _show_plain_table(columns, cells)


def show_record(fields: Sequence[tuple[str, object]]) -> None:
    """Print one thing's facts, one per line, or as a JSON object."""
    if wants_json():
        show_json({json_key(name): value for name, value in fields})
        return
    width = max((len(name) for name, _ in fields), default=0)
    for name, value in fields:
        click.echo(f"{name:<{width}}  {cell_text(value)}")


def json_key(column: str) -> str:
    """Turn a column's title into a JSON key: "Size bytes" becomes "size_bytes"."""
    return "_".join(column.lower().replace("-", " ").split())


def cell_text(value: object) -> str:
    """Return a value as one safe line: booleans as yes and no, nothing as a dash."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(cell_text(item) for item in value) or "-"
    text = printable(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value))
    text = text.replace("\n", "\\n").replace("\t", " ")
    return text if len(text) <= MAX_CELL_CHARS else f"{text[: MAX_CELL_CHARS - 1]}…"


def printable(text: str) -> str:
    """Escape what could steer a terminal; line feeds and tabs stay.

    Mail brings foreign text, and an escape sequence in a subject must not reach a terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )


class FailedError(click.ClickException):
    """An expected failure of a command."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._as_json = wants_json()  # asked now: the command's context is gone when click shows the error

    def show(self, file: object = None) -> None:
        """Print the text on stderr; `file` is click's and not used."""
        del file
        show_error(self.message, as_json=self._as_json)


def show_error(text: str, *, as_json: bool) -> None:
    """Print an error on stderr."""
    if as_json:
        click.echo(msgspec.json.encode({"error": text}).decode(), err=True)
    else:
        click.echo(f"{click.style('error:', fg='red')} {printable(text)}", err=True)


def _show_plain_table(columns: Sequence[str], cells: list[list[str]]) -> None:
    titles = [column.upper() for column in columns]
    widths = [max(len(row[index]) for row in [titles, *cells]) for index in range(len(titles))]
    for row in [titles, *cells]:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def _show_rich_table(columns: Sequence[str], cells: list[list[str]]) -> None:
    from rich import box  # noqa: PLC0415 - 40 ms of imports that only a terminal needs
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in cells:
        table.add_row(*(Text(text) for text in row))
    Console().print(table)
