"""The announcement of a literal at the end of a line (RFC 9051 §4.3, RFC 7888 §5)."""

import re
from dataclasses import dataclass

# literal = "{" number64 ["+"] "}" CRLF *CHAR8, literal8 = "~" literal
_AT_END = re.compile(rb"(~?)\{(\d{1,20})(\+?)\}\Z")
_LONGEST = 24


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets to come; a synchronising literal waits for our leave, a binary one may hold NUL.

    `marker_bytes` is the length of the announcement itself.
    """

    size: int
    synchronising: bool
    marker_bytes: int
    binary: bool = False


def split_literal(line: bytes) -> Literal | None:
    """Find the announcement that ends a line."""
    if not line.endswith(b"}"):
        return None
    match = _AT_END.search(line, max(0, len(line) - _LONGEST))
    if match is None:
        return None
    return Literal(int(match[2]), not match[3], match.end() - match.start(), bool(match[1]))
