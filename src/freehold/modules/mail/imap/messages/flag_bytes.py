r"""Flags as FETCH writes them, and back: bits and keywords of a row to the bytes in FLAGS (…)."""

from collections.abc import Iterable

from freehold.modules.mail.model import Flag
from freehold.protocols.imap.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN

RECENT_BIT = 32
r"""Stands for \Recent in the look-up; no row has it."""
MAX_KEPT = 4096
"""Combinations that are kept; more begin anew."""

SYSTEM_BITS = {
    ANSWERED: Flag.ANSWERED,
    FLAGGED: Flag.FLAGGED,
    DELETED: Flag.DELETED,
    SEEN: Flag.SEEN,
    DRAFT: Flag.DRAFT,
}


class FlagBytes(dict[tuple[int, str], bytes]):
    """Ready-made flag lists by (bits, keywords); made when first asked for."""

    def __missing__(self, key: tuple[int, str]) -> bytes:
        """Write the list."""
        if len(self) >= MAX_KEPT:
            self.clear()
        bits, keywords = key
        names = [name.encode() for name, bit in SYSTEM_BITS.items() if bits & bit]
        if bits & RECENT_BIT:
            names.append(b"\\Recent")
        if keywords:
            names.append(keywords.encode())
        written = self[key] = b" ".join(names)
        return written


FLAG_BYTES = FlagBytes()


def split_flags(flags: Iterable[str]) -> tuple[int, frozenset[str]]:
    """Return a command's flags as bits and keywords."""
    bits = 0
    keywords = []
    for flag in flags:
        bit = SYSTEM_BITS.get(flag)
        if bit is None:
            keywords.append(flag)
        else:
            bits |= bit
    return bits, frozenset(keywords)
