"""Sizes and durations as people write them: "50 MiB", "4h"."""

import re
from typing import Final

_AMOUNT: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_BYTES: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "k": 2**10,
    "m": 2**20,
    "g": 2**30,
    "t": 2**40,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_UNIT: Final = 1024
_SECONDS: Final = {
    "": 1.0,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
}


def parse_bytes(text: str) -> int:
    """Return the bytes in "50 MiB" (binary), "50 MB" (decimal), "50M" (binary) or "1024".

    Raises:
        ValueError: it is not a size; the text says what is expected.
    """
    number, unit = _split(text)
    if unit.lower() not in _BYTES:
        raise ValueError(f'{text!r} is not a size such as "50 MiB"')
    return round(number * _BYTES[unit.lower()])


def format_bytes(size_bytes: int) -> str:
    """Return a size for people: 1536 is "1.5 KiB"."""
    amount = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < _UNIT:
            return f"{amount:.4g} {unit}"
        amount /= _UNIT
    return f"{amount:.4g} TiB"


def parse_seconds(text: str) -> float:
    """Return the seconds in "90", "90s", "15m", "4h", "5d" or "2w"; several may follow each other: "1h 30m".

    Raises:
        ValueError: it is not a duration; the text says what is expected.
    """
    parts = re.findall(r"\d+(?:\.\d+)?\s*[A-Za-z]*", text)
    if not parts or "".join(parts).replace(" ", "") != text.replace(" ", ""):
        raise ValueError(f'{text!r} is not a duration such as "4h"')
    total = 0.0
    for part in parts:
        number, unit = _split(part)
        if unit not in _SECONDS:
            raise ValueError(f'{text!r} is not a duration such as "4h"')
        total += number * _SECONDS[unit]
    return total


def _split(text: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(text)
    return (float(match[1]), match[2]) if match else (0.0, "?")
