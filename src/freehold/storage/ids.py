"""Time-ordered ids that many processes make without asking each other, and their text form."""

from collections.abc import Callable
from typing import Final

from freehold.errors import InvalidValueError

EPOCH_MS: Final = 1_704_067_200_000  # 2024-01-01T00:00:00Z
NODE_BITS: Final = 10
SEQUENCE_BITS: Final = 12
NODES: Final = 1 << NODE_BITS
ID_TEXT_LENGTH: Final = 13  # 13 digits of 5 bits hold 65

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_MAX_ID: Final = (1 << 63) - 1


class IdMaker:
    """Makes positive 63-bit ids: 41 bits of milliseconds since 2024, 10 bits of node, 12 bits of sequence.

    Ids of one maker only grow, also when the clock steps back or more than 4,096 are made in a
    millisecond: it then runs ahead of the clock. For use by one thread. 41 bits last until 2093.
    """

    __slots__ = ("_last", "_node", "_now_ms")

    def __init__(self, node: int, now_ms: Callable[[], int]) -> None:
        if not 0 <= node < NODES:
            raise ValueError("node is outside 0…1023")
        self._node = node << SEQUENCE_BITS
        self._now_ms = now_ms
        self._last = 0  # milliseconds and sequence together, so that a full sequence carries over

    def next(self) -> int:
        """Return an id greater than every earlier one of this maker."""
        moment = max((self._now_ms() - EPOCH_MS) << SEQUENCE_BITS, self._last + 1)
        self._last = moment
        milliseconds = moment >> SEQUENCE_BITS
        return (
            (milliseconds << (NODE_BITS + SEQUENCE_BITS)) | self._node | (moment & ((1 << SEQUENCE_BITS) - 1))
        )


def id_text(number: int) -> str:
    """Return 13 lower-case letters and digits that sort as the ids do."""
    if not 0 <= number <= _MAX_ID:
        raise ValueError("id is outside 63 bits")
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5))


def id_from_text(text: str) -> int:
    """Return the id; capitals are accepted. Raises InvalidValueError for anything else."""
    number = 0
    if len(text) == ID_TEXT_LENGTH and text.isascii():
        for letter in text.lower():
            value = _VALUES.get(letter)
            if value is None:
                break
            number = number << 5 | value
        else:
            if number <= _MAX_ID:
                return number
    raise InvalidValueError("not an id")
