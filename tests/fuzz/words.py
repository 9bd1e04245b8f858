"""Reads libFuzzer's dictionaries, so that property tests put their inputs together from the same words."""

import re
from pathlib import Path

_WORD = re.compile(r'"(.*)"')
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))")


def dictionary(name: str) -> list[bytes]:
    """Return the words of a dictionary of this folder."""
    lines = (Path(__file__).parent / f"{name}.dict").read_text().splitlines()
    return [_ESCAPE.sub(_unescaped, match[1].encode()) for line in lines if (match := _WORD.fullmatch(line))]


def _unescaped(match: re.Match[bytes]) -> bytes:
    return match[2] if match[1] is None else bytes.fromhex(match[1].decode())
