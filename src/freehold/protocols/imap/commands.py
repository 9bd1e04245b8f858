"""What all commands share: the base value, and the row by which a family describes one command."""

from collections.abc import Callable
from dataclasses import dataclass

from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.states import State


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was read whole and decoded; `tag` goes into its tagged reply."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One row of the registry.

    `parse` gets the tag and a cursor behind the command's name; it must read to the end.
    `on_ok` and `on_no` are the states that the command's completion leads to; None stays.
    """

    name: bytes
    value: type[Command]
    parse: Callable[[bytes, Cursor], Command]
    states: frozenset[State]
    on_ok: State | None = None
    on_no: State | None = None


def bare(value: type[Command]) -> Callable[[bytes, Cursor], Command]:
    """Build the parser of a command without arguments."""

    def parse(tag: bytes, cursor: Cursor) -> Command:
        cursor.end()
        return value(tag)

    return parse
