"""Scripts of the imaptest suite: a header, then commands with the replies that are expected."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

STATUSES = ("ok", "no", "bad", '""')

_TAG = re.compile(r"tag\d+\Z")
_LITERAL_START = re.compile(r"(~?)\{\{\{\Z")


@dataclass(frozen=True, slots=True)
class Literal:
    """A multi-line text of the script; lines end in CRLF (as they stand, if binary), the last one is open."""

    text: str
    is_binary: bool


Line = list[str | Literal]
"""Plain text and literals in turn."""


@dataclass(slots=True)
class Step:
    """One command; `status` is ok, no, bad or "" for any, `prefix` begins the tagged reply's text."""

    number: int
    connection: int
    command: Line
    tag: str = ""
    status: str | None = None
    prefix: Line = field(default_factory=list)
    expected: list[Line] = field(default_factory=list)
    banned: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Script:
    """A whole file; `groups` are commands that are sent together before their replies are read."""

    capabilities: list[str]
    connections: int
    messages: int | None
    state: str
    groups: list[list[Step]]


def read_script(path: Path) -> Script:
    """Read a script; octets are kept as Latin-1 characters."""
    lines = path.read_bytes().decode("latin-1").split("\n")
    header: dict[str, str] = {}
    end = lines.index("")
    for line in lines[:end]:
        key, _, value = line.partition(":")
        header[key.strip()] = value.strip()
    connections = int(header.get("connections", "1"))
    count = header.get("messages", "all")
    return Script(
        header.get("capabilities", "").upper().split(),
        connections,
        None if count == "all" else int(count),
        header.get("state", "selected"),
        _groups(_logical_lines(lines, end), connections),
    )


def _logical_lines(lines: list[str], start: int) -> Iterator[tuple[int, Line]]:
    """Yield each line with its literals, without comments and what `!ifenv` leaves out."""
    skipping: list[bool] = []
    numbered = iter(list(enumerate(lines, 1))[start:])
    for number, line in numbered:
        words = line.split()
        if words and words[0] in {"!ifenv", "!ifnenv"}:
            skipping.append((words[1] in os.environ) != (words[0] == "!ifenv"))
        elif words[:1] == ["!else"]:
            skipping[-1] = not skipping[-1]
        elif words[:1] == ["!endif"]:
            skipping.pop()
        elif words and not line.startswith("#") and not any(skipping):
            yield number, _with_literals(line, numbered)


def _with_literals(line: str, rest: Iterator[tuple[int, str]]) -> Line:
    parts: Line = []
    while (start := _LITERAL_START.search(line)) is not None:
        parts.append(line[: start.start()])
        is_binary = start[1] == "~"
        text = ""
        for _, following in rest:
            if following.startswith("}}}"):
                line = following[3:]
                break
            text += following + ("\n" if is_binary else "\r\n")
        parts.append(Literal(text[: -1 if is_binary else -2], is_binary))
    return [*parts, line]


def _groups(lines: Iterator[tuple[int, Line]], connections: int) -> list[list[Step]]:
    groups: list[list[Step]] = []
    for number, line in lines:
        first = line[0]
        assert isinstance(first, str)
        if first.startswith(("* ", "! ")):
            kind = groups[-1][-1].expected if first[0] == "*" else groups[-1][-1].banned
            kind.append([first[2:], *line[1:]])
            continue
        connection = 1
        if connections > 1 and first[0].isdigit():
            word, _, first = first.partition(" ")
            connection = int(word)
        _add(groups, Step(number, connection, [first, *line[1:]]))
    return groups


def _add(groups: list[list[Step]], step: Step) -> None:
    """Add a command, or give an earlier one the tagged reply that this line is."""
    first = step.command[0]
    assert isinstance(first, str)
    word, _, rest = first.partition(" ")
    if _TAG.match(word):
        status, _, prefix = rest.partition(" ")
        for waiting in groups[-1] if groups else []:
            if waiting.tag == word and waiting.status is None and status.lower() in STATUSES:
                waiting.status, waiting.prefix = status.lower(), [prefix, *step.command[1:]]
                return
        step.tag, step.command[0] = word, rest
        if groups and groups[-1][-1].tag and all(each.status is None for each in groups[-1]):
            groups[-1].append(step)
        else:
            groups.append([step])
    elif word.lower() in STATUSES:
        waiting = groups[-1][-1] if groups else step
        if groups and not waiting.tag and waiting.status is None:
            waiting.status, waiting.prefix = word.lower(), [rest, *step.command[1:]]
        else:
            step.status, step.command[0] = word.lower(), rest
            groups.append([step])
    else:
        groups.append([step])
