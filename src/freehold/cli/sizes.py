"""Sizes on the command line: "5GiB" and "none" in, "5 GiB" and "no limit" out."""

import click

from freehold.kernel.quantities import format_bytes, parse_bytes


def parse_size(text: str | None) -> int | None:
    """Return the bytes of an option or argument; None where it is `none` or was not given.

    Raises:
        click.BadParameter: it is no size.
    """
    if text is None or text.strip().lower() == "none":
        return None
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def size_text(size_bytes: int | None) -> str:
    """Return a size for people: 1536 is "1.5 KiB", None is "no limit"."""
    if size_bytes is None:
        return "no limit"
    return format_bytes(size_bytes)
