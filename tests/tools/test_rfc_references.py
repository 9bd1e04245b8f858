"""References to RFCs are found with their sections, their sentence and the name around them."""

from pathlib import Path

import pytest

from tools.rfc_pages import make_pages
from tools.rfc_references import Reference, find_references, section_key, section_text

SOURCE = '''"""Answers things (RFC 9051 §6.4.4, §7.3). Nothing else."""

LIMIT = 3
"""How many (RFC 5321 §4.5.3.1.8)."""


class Part:
    """One part."""

    def read(self) -> None:
        """Read it.

        Empty parts are read too, as RFC 2046 §5.1.1
        and §A.2 want it.
        """
        # RFC 2045 §6.7: the end of a line
        # may be white
        # space.
        return None
'''


@pytest.fixture
def found(tmp_path: Path) -> list[Reference]:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file.py").write_text(SOURCE)
    return find_references(tmp_path)


def test_each_section_of_a_reference_is_one(found: list[Reference]) -> None:
    assert [(each.rfc, section_text(each.section)) for each in found] == [
        (2045, "6.7"),
        (2046, "5.1.1"),
        (2046, "A.2"),
        (5321, "4.5.3.1.8"),
        (9051, "6.4.4"),
        (9051, "7.3"),
    ]


def test_the_name_around_a_reference_is_told(found: list[Reference]) -> None:
    assert {each.rfc: each.name for each in found} == {
        2045: "Part.read",
        2046: "Part.read",
        5321: "",
        9051: "",
    }
    assert {each.path for each in found} == {"folder/file.py"}


def test_the_sentence_is_told_without_the_reference_in_brackets(found: list[Reference]) -> None:
    told = {each.rfc: each.what for each in found}
    assert told[9051] == "Answers things"
    assert told[5321] == "How many"
    assert told[2046] == "Empty parts are read too, as RFC 2046 §5.1.1 and §A.2 want it"
    assert told[2045] == "RFC 2045 §6.7: the end of a line may be white space"


def test_sections_are_in_the_order_of_their_numbers_with_appendices_last() -> None:
    sections = ["10.2", "2", "2.10", "2.9", "A.1", "A"]
    assert sorted(sections, key=section_key) == ["2", "2.9", "2.10", "10.2", "A", "A.1"]


def test_the_pages_name_every_rfc_once() -> None:
    pages = make_pages()
    index = pages.pop("README.md")
    for text in pages.values():
        for line in text.splitlines():
            if line.startswith("## RFC "):
                assert index.count(f"[{line.removeprefix('## RFC ')}](") == 1
