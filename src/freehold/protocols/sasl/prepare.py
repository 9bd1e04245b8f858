"""SASLprep: one form for names and passwords that look alike (RFC 4013)."""

import stringprep
import unicodedata

from freehold.errors import InvalidValueError

MAX_PREPARED_CHARACTERS = 1024
"""Longest login or password that is prepared."""

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class InvalidStringError(InvalidValueError):
    """The text holds a character that no login and no password may hold."""

    public = "a login or password holds a character that is not allowed"


def saslprep(text: str, *, allow_unassigned: bool = False) -> str:
    """Return the prepared text; printable ASCII stays as it is.

    `allow_unassigned` is for text that is compared (a query), not stored (RFC 3454 §7).

    Raises:
        InvalidStringError: a prohibited character, mixed directions, or too long.
    """
    if len(text) > MAX_PREPARED_CHARACTERS:
        raise InvalidStringError
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for character in prepared:
        if any(is_prohibited(character) for is_prohibited in _PROHIBITED):
            raise InvalidStringError
        if not allow_unassigned and stringprep.in_table_a1(character):
            raise InvalidStringError
    _check_directions(prepared)
    return prepared


def _check_directions(text: str) -> None:
    """Refuse text that mixes directions, or begins or ends against its own (RFC 3454 §6)."""
    if not any(stringprep.in_table_d1(character) for character in text):
        return
    has_left_to_right = any(stringprep.in_table_d2(character) for character in text)
    if has_left_to_right or not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise InvalidStringError
