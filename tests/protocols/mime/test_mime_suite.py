"""Published messages, real and odd, with another parser's reading of them as JSON.

The folder is no part of the project: FREEHOLD_SUITES names it, or it lies in ../shared/suites.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from freehold.protocols.mime.structure import Part, scan
from tests.fuzz.fuzz_mime import check_message

REPOSITORY = Path(__file__).parents[3]
SUITE = Path(os.environ.get("FREEHOLD_SUITES", REPOSITORY.parent / "shared" / "suites")) / "mime"

# Of 168 readings 164 agree in the kind and the offsets of all parts. The others are two messages in two
# forms each: an empty part whose blank line is the delimiter's own (RFC 2046 §5.1.1 gives it to the
# delimiter), and an embedded multipart without delimiters, which the outer delimiter ends here and not there.
MIN_AGREEING_SHARE = 0.97

Node = tuple[str, int, int]


def messages() -> list[Path]:
    if not SUITE.is_dir():
        pytest.skip(f"no MIME suite at {SUITE}; set FREEHOLD_SUITES to the folder that holds mime/")
    return sorted(SUITE.glob("*/*.eml"))


def line_forms(path: Path) -> list[tuple[bytes, Path]]:
    """Return the message with lone line feeds and with CRLF, each with the reading that belongs to it."""
    lone = path.read_bytes().replace(b"\r\n", b"\n")
    forms = [
        (lone, path.with_suffix(".json")),
        (lone.replace(b"\n", b"\r\n"), path.with_suffix(".crlf.json")),
    ]
    return [(data, reading) for data, reading in forms if reading.exists()]


def own_nodes(part: Part) -> list[Node]:
    """Return the parts in order, without looking into embedded messages, as the JSON has them."""
    kind = "Multipart" if part.is_multipart else "Message" if part.is_message else "Leaf"
    nodes = [(kind, part.header_start, part.body_start)]
    if part.is_multipart:
        for child in part.children:
            nodes += own_nodes(child)
    return nodes


def expected_nodes(reading: dict[str, Any]) -> list[Node]:
    nodes = []
    for part in reading["parts"]:
        (kind,) = part["body"]
        kind = kind if kind in {"Multipart", "Message"} else "Leaf"
        nodes.append((kind, part["offset_header"], part["offset_body"]))
    return nodes


def test_every_message_is_read_and_keeps_its_bytes() -> None:
    paths = messages()
    assert len(paths) >= 80
    for path in paths:
        original = path.read_bytes()
        for data in (original, *(form for form, _ in line_forms(path))):
            copy = bytes(bytearray(data))
            check_message(data)
            assert data == copy
            root = scan(data)
            assert data[: root.header_end] + data[root.body_start : root.body_end] == data


def test_structure_agrees_with_another_parser_nearly_always() -> None:
    agreeing = total = 0
    for path in messages():
        for data, reading in line_forms(path):
            total += 1
            agreeing += own_nodes(scan(data)) == expected_nodes(json.loads(reading.read_bytes()))
    assert total >= 160
    assert agreeing >= MIN_AGREEING_SHARE * total
