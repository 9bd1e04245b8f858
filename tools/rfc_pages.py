"""Write `docs/rfc/`: which RFC is done how far, and where in the source each section is.

`python -m tools.rfc_pages` writes the pages, `--check` says whether they are up to date. What is said by hand
(titles, what is left out) stands in `docs/rfc/rfcs.toml`.
"""

import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tools.rfc_references import Reference, find_references, section_text

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "freehold"
PAGES = ROOT / "docs" / "rfc"
TABLE = PAGES / "rfcs.toml"
HEADER = "<!-- Written by `make docs` from the source and rfcs.toml; edit those. -->\n\n"
STATES = ("complete", "partly", "used")
"""`complete`: all that a server must do, and what it offers of the rest; `partly`: `absent` tells what is
not; `used`: consulted for a rule or a format."""


class TableError(Exception):
    """`rfcs.toml` and the source do not agree; says in what."""


@dataclass(frozen=True, slots=True)
class Rfc:
    """What is said by hand of one RFC."""

    number: int
    title: str
    area: str
    state: str
    absent: str


def load_table() -> dict[int, Rfc]:
    """Return the hand-written part. Raises TableError for a state that does not exist."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    table = {}
    for number, row in rows.items():
        rfc = Rfc(int(number), row["title"], row["area"], row["state"], row.get("absent", ""))
        if rfc.state not in STATES or (rfc.state == "partly") != bool(rfc.absent):
            raise TableError(f"rfcs.toml: {number}: state is one of {STATES}, and `absent` goes with partly")
        table[rfc.number] = rfc
    return table


def make_pages() -> dict[str, str]:
    """Return each page's text by file name.

    Raises TableError when the source refers to an RFC that the table lacks, or the table has one that
    the source never mentions.
    """
    table = load_table()
    references: dict[int, list[Reference]] = defaultdict(list)
    for reference in find_references(SOURCE):
        references[reference.rfc].append(reference)
    if unknown := sorted(references.keys() - table.keys()):
        raise TableError(f"rfcs.toml lacks RFC {', '.join(map(str, unknown))}")
    if unused := sorted(table.keys() - references.keys()):
        raise TableError(
            f"rfcs.toml has RFC {', '.join(map(str, unused))}, which the source does not mention"
        )
    areas = dict.fromkeys(rfc.area for rfc in table.values())
    pages = {f"{_slug(area)}.md": _area_page(area, table, references) for area in areas}
    return {"README.md": _index(table, references), **pages}


def _slug(area: str) -> str:
    return area.lower().replace(" ", "-")


def _index(table: dict[int, Rfc], references: dict[int, list[Reference]]) -> str:
    lines = [
        HEADER + "# RFCs\n",
        "What Freehold does of which RFC. *Complete*: all that a server must do. *Partly*: the last column",
        "says what is absent. *Used*: consulted for a rule or a format. The pages behind the areas say",
        "where each section is done.\n",
    ]
    for area in dict.fromkeys(rfc.area for rfc in table.values()):
        lines.append(f"## [{area}]({_slug(area)}.md)\n")
        lines += ["| RFC | | State | Absent |", "|---|---|---|---|"]
        rfcs = sorted((rfc for rfc in table.values() if rfc.area == area), key=lambda rfc: rfc.number)
        lines += [f"| {_link(rfc)} | {rfc.title} | {rfc.state} | {rfc.absent} |" for rfc in rfcs]
        lines.append("")
    total = sum(map(len, references.values()))
    lines.append(f"{len(table)} RFCs, {total} references in the source.")
    return "\n".join(lines) + "\n"


def _link(rfc: Rfc) -> str:
    return f"[{rfc.number}]({_slug(rfc.area)}.md#rfc-{rfc.number})"


def _area_page(area: str, table: dict[int, Rfc], references: dict[int, list[Reference]]) -> str:
    lines = [HEADER + f"# RFCs: {area}\n", "[All areas](README.md)\n"]
    for rfc in sorted(table.values(), key=lambda rfc: rfc.number):
        if rfc.area != area:
            continue
        lines += [
            f"## RFC {rfc.number}\n",
            f"{rfc.title}: {rfc.state}." + (f" Absent: {rfc.absent}." if rfc.absent else ""),
        ]
        lines += ["", "| Section | What | Where |", "|---|---|---|"]
        lines += [_row(reference) for reference in references[rfc.number]]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(reference: Reference) -> str:
    section = f"§{section_text(reference.section)}" if reference.section else ""
    place = f"[{reference.path}](../../src/freehold/{reference.path})"
    name = f" `{reference.name}`" if reference.name else ""
    return f"| {section} | {reference.what} | {place}{name} |"


def main(arguments: list[str]) -> int:
    """Write or check the pages; returns the exit status."""
    try:
        pages = make_pages()
    except TableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    there = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    if there == pages:
        return 0
    if "--check" in arguments:
        sys.stderr.write("docs/rfc is not up to date: run `make docs`\n")
        return 1
    for name in there.keys() - pages.keys():
        (PAGES / name).unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
