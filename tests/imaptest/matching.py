"""Compares replies with what a script expects, and takes the values of variables from them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.imaptest.script import Line, Literal

Arg = "str | list[Arg]"
Args = list["str | Args"]

_TOKEN = re.compile(r'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|([^\s()]+))')
_VARIABLE = re.compile(r"\$(?:\$|(\d+)|\{case:([^}]*)\}|\{(\w+)\}|(\w+)|)")
_UNORDERED: dict[str, list[str]] = {
    "fetch": ["$!unordered=2"],
    "status": ["$!unordered=2"],
    "list": ["$!unordered"],
    "lsub": ["$!unordered"],
}
_FLAGS = ["$!unordered", "$!noextra", "$!ignore=\\recent"]


def parse_args(line: Line) -> Args:
    """Split a reply or a script's line into words, strings and lists."""
    root: Args = []
    stack = [root]
    for part in line:
        if isinstance(part, Literal):
            stack[-1].append(part.text)
            continue
        position = 0
        while (match := _TOKEN.match(part, position)) is not None:
            position = match.end()
            if match[1]:
                inner: Args = []
                stack[-1].append(inner)
                stack.append(inner)
            elif match[2]:
                if len(stack) > 1:
                    stack.pop()
            elif match[3] is not None:
                stack[-1].append(re.sub(r"\\(.)", r"\1", match[3]))
            else:
                stack[-1].append(match[4])
    return root


@dataclass
class Variables:
    """Values by name; `number_of` tells what a message of the command's beginning is numbered now."""

    values: dict[str, str] = field(default_factory=dict)
    number_of: Callable[[int], int] = int

    def expand(self, text: str) -> str:
        """Return a text of a command with the values in place."""
        return _VARIABLE.sub(lambda match: self._known(match, text), text)

    def _known(self, match: re.Match[str], text: str) -> str:
        if match[0] == "$$":
            return "$"
        if match[2] is not None:
            return match[2]
        name = match[3] or match[4] or match[1]
        assert name in self.values, f"{name} has no value in {text!r}"
        return self.values[name]

    def match_text(self, expected: str, actual: str) -> "Variables | None":
        """Return the variables after an expected word met an actual one, or None.

        As in the original, which compares strings of C, what follows a NUL does not count.
        """
        expected, actual = expected.partition("\0")[0], actual.partition("\0")[0]
        pattern, names, position = "", [], 0
        for match in _VARIABLE.finditer(expected):
            pattern += re.escape(expected[position : match.start()])
            position = match.end()
            name = match[3] or match[4]
            if match[0] == "$$":
                pattern += r"\$"
            elif match[1] is not None:
                pattern += str(self.number_of(int(match[1])))
            elif match[2] is not None:
                pattern += f"(?-i:{re.escape(match[2])})"
            elif name is None:
                pattern += "(?:.*)"
            elif name in self.values:
                pattern += re.escape(self.values[name])
            else:
                names.append(name)
                pattern += "(.*?)"
        found = re.fullmatch(pattern + re.escape(expected[position:]), actual, re.IGNORECASE | re.DOTALL)
        if found is None:
            return None
        learnt = Variables(dict(self.values), self.number_of)
        learnt.values.update(zip(names, found.groups(), strict=True))
        return learnt


def match_reply(expected: Args, actual: Args, variables: Variables) -> Variables | None:
    """Compare a whole reply; that of a condition (OK …) may go on with any text."""
    if not expected:
        return variables
    words = [word.lower() for word in expected if isinstance(word, str)][:2]
    kind = next((word for word in words if not re.match(r"\d|\$", word)), "")
    if kind in {"ok", "no", "bad", "bye", "preauth"}:
        actual = actual[: len(expected)]
    return _match_list(expected, actual, variables, kind)


def _match_list(expected: Args, actual: Args, variables: Variables, kind: str) -> Variables | None:
    directives = [word for word in expected if isinstance(word, str) and word.startswith("$!")]
    expected = [word for word in expected if not (isinstance(word, str) and word.startswith("$!"))]
    size = next((_chain(word) for word in directives if word.startswith("$!unordered")), 0)
    if not size:
        return _match_ordered(expected, actual, variables, kind)
    rest = [actual[start : start + size] for start in range(0, len(actual), size)]
    used: list[Args] = []
    for start in range(0, len(expected), size):
        wanted = expected[start : start + size]
        for each in rest:
            learnt = _match_ordered(wanted, each, variables, "")
            if learnt is not None:
                variables = learnt
                used.append(each)
                break
        else:
            return None
    return variables if _may_stay([each for each in rest if each not in used], directives) else None


def _chain(directive: str) -> int:
    return int(directive.partition("=")[2] or "1")


def _may_stay(rest: Sequence[Args], directives: Sequence[str]) -> bool:
    words = {each.lower() for group in rest for each in group[:1] if isinstance(each, str)}
    ignored = {word[len("$!ignore=") :] for word in directives if word.startswith("$!ignore=")}
    banned = {word[len("$!ban=") :] for word in directives if word.startswith("$!ban=")}
    if "$!noextra" in directives:
        return words <= ignored and len(words) == len(rest)
    return not words & banned


def _match_ordered(expected: Args, actual: Args, variables: Variables, kind: str) -> Variables | None:
    if len(expected) != len(actual):
        return None
    learnt: Variables | None = variables
    before = ""
    for wanted, found in zip(expected, actual, strict=True):
        if learnt is None:
            return None
        if isinstance(wanted, list):
            learnt = _match_inner(wanted, found, learnt, kind, before)
        elif wanted != "$":
            learnt = learnt.match_text(wanted, found) if isinstance(found, str) else None
        before = wanted.lower() if isinstance(wanted, str) else ""
    return learnt


def _match_inner(
    wanted: Args, found: str | Args, variables: Variables, kind: str, before: str
) -> Variables | None:
    """Compare a list that stands behind the word `before`, by its own directives or the usual ones."""
    if isinstance(found, str):
        return None
    has_own = any(isinstance(word, str) and word.startswith("$!") for word in wanted)
    usual: Sequence[str] = _FLAGS if before == "flags" else _UNORDERED.get(kind, ())
    if not has_own:
        wanted = [*usual, *wanted]
    return _match_list(wanted, found, variables, "")
