"""The documentation keeps up with the program: commands, options, events, links, examples."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from freehold.app import all_modules, settings_types
from freehold.cli.main import cli
from freehold.kernel.bus import KERNEL_EVENTS, Event
from freehold.kernel.decode import iter_keys

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COMMANDS = DOCS / "commands.md"
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_EXAMPLE = re.compile(r"^ *(?:\$ |sudo )(?:\.venv/bin/|/usr/local/bin/)?freehold (.+)$", re.MULTILINE)
_SETTING = re.compile(r"`((?:mail|listen|blobs|accounts|database|resolver|metrics|log)\.[\w.]+)`")


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Yield each command below with all its words, groups included."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


ALL_COMMANDS = dict(commands(cli, ("freehold",)))


def section_of(words: str) -> str:
    """Return what the page of commands says below the heading of a command's group."""
    heading = " ".join(words.split()[:2])
    text = COMMANDS.read_text()
    if heading == "freehold":
        return text
    start = text.find(f"### {heading}\n")
    assert start >= 0, f"docs/commands.md has no heading '### {heading}'"
    end = min(at for at in (text.find("\n## ", start), text.find("\n### ", start), len(text)) if at > 0)
    return text[start:end]


def options_of(command: click.Command) -> set[str]:
    """Return every spelling of a command's options, without those that every command has."""
    own = {
        word
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for word in (*parameter.opts, *parameter.secondary_opts)
    }
    return own - {"--config", "--data", "--json"}


def anchors_of(page: Path) -> set[str]:
    """Return what a link to one of a page's headings may end in."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def event_types() -> list[type[Event]]:
    """Return every event that is defined, told of by its module or not."""
    all_modules()
    return [kind for kind in Event.__subclasses__() if kind.__module__.startswith("freehold.")]


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_every_command_and_option_is_documented(words: str) -> None:
    section = section_of(words)
    assert words in section
    missing = {option for option in options_of(ALL_COMMANDS[words]) if f"`{option}" not in section}
    assert not missing


def test_the_options_that_every_command_has_are_documented() -> None:
    text = COMMANDS.read_text()
    for option in ("--config FILE", "--data DIR", "--json", "--help"):
        assert f"| `{option}`" in text


def test_every_documented_command_exists() -> None:
    named = re.findall(r"(?:\| `|### )(freehold [a-z][a-z -]*[a-z])", COMMANDS.read_text())
    assert named
    assert {words for words in named if words not in ALL_COMMANDS} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_names_a_command_that_exists(page: Path) -> None:
    for fence in _FENCE.findall(page.read_text()):
        for line in _EXAMPLE.findall(fence):
            words = line.split()
            known = [length for length in (1, 2) if " ".join(("freehold", *words[:length])) in ALL_COMMANDS]
            assert known, line
            command = ALL_COMMANDS[" ".join(("freehold", *words[: known[-1]]))]
            assert not isinstance(command, click.Group), line
            given = {word for word in words[known[-1] :] if word.startswith("--")}
            assert given <= options_of(command) | {"--config", "--data", "--json", "--help"}, line


def test_the_readme_has_examples() -> None:
    assert _EXAMPLE.findall((ROOT / "README.md").read_text())


def test_every_event_and_its_fields_are_documented() -> None:
    text = (DOCS / "events.md").read_text()
    kinds = event_types()
    assert kinds
    for kind in kinds:
        start = text.index(f"### {kind.__name__}\n")
        end = min(at for at in (text.find("\n## ", start), text.find("\n### ", start), len(text)) if at > 0)
        assert {field for field in kind.__struct_fields__ if f"| `{field}` |" not in text[start:end]} == set()


def test_every_documented_event_exists_and_its_module_declares_it() -> None:
    documented = set(re.findall(r"^### (\w+)$", (DOCS / "events.md").read_text(), re.MULTILINE))
    kinds: list[Sequence[type[Event]]] = [KERNEL_EVENTS, *(module.events for module in all_modules())]
    declared = {kind.__name__ for each in kinds for kind in each}
    assert documented == declared == {kind.__name__ for kind in event_types()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.is_relative_to(ROOT), target
        assert other.exists(), target
        assert not anchor or anchor in anchors_of(other), target


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    waiting = list(reached)
    while waiting:
        page = waiting.pop()
        for target in _LINK.findall(page.read_text()):
            other = (page.parent / target.partition("#")[0]).resolve()
            if other.suffix == ".md" and other.exists() and other not in reached:
                reached.add(other)
                waiting.append(other)
    assert {page for page in PAGES if page not in reached} == set()


def test_every_setting_named_on_the_page_of_limits_exists() -> None:
    keys = {key for section, kind in settings_types().items() for key in iter_keys(kind, section)}
    named = set(_SETTING.findall((DOCS / "limits.md").read_text()))
    assert named
    assert named <= keys


def test_decisions_are_numbered_once_and_listed() -> None:
    names = sorted(path.name for path in (DOCS / "decisions").glob("*.md"))
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in names)
    assert len({name[:4] for name in names}) == len(names)
    listed = (DOCS / "architecture.md").read_text()
    assert {name for name in names if f"(decisions/{name})" not in listed} == set()
