"""SASLprep, with the examples of RFC 4013 §3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.sasl.prepare import InvalidStringError, saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_text_is_prepared(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\u0007", "\u0627\u0031", "a\u0627", "\ue000", "a\n", "x" * 1025, "\u0221"])
def test_prohibited_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidStringError):
        saslprep(text)


def test_unassigned_characters_pass_in_queries_only() -> None:
    assert saslprep("\u0221", allow_unassigned=True) == "\u0221"


@given(st.text(max_size=30))
def test_preparing_twice_changes_nothing(text: str) -> None:
    try:
        once = saslprep(text, allow_unassigned=True)
    except InvalidStringError:
        return
    assert saslprep(once, allow_unassigned=True) == once
