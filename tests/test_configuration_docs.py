"""Every key of the configuration is documented, and only those."""

import re
from pathlib import Path

from freehold.app import settings_types
from freehold.kernel.decode import iter_keys

DOCUMENT = Path(__file__).parents[1] / "docs" / "configuration.md"
TOP_LEVEL = "Top level"


def _documented() -> set[str]:
    keys = set()
    section = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
            section = "" if title == TOP_LEVEL else title.strip("[]") + "."
        elif match := re.match(r"\| `([a-z0-9_]+)` \|", line):
            keys.add(section + match[1])
    return keys


def test_every_key_is_documented_and_every_documented_key_exists() -> None:
    keys = {key for section, kind in settings_types().items() for key in iter_keys(kind, section)}
    assert _documented() == keys
