"""The base subject (RFC 5256 §2.1), and the collation that sorting goes by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap.base_subject import base_subject
from freehold.protocols.imap.casemap import casemap


@pytest.mark.parametrize(
    ("subject", "text", "is_reply"),
    [
        ("hello", "hello", False),
        ("Re: hello", "hello", True),
        ("RE : fw: FWD:hello", "hello", True),
        ("hello (fwd) (FWD) ", "hello", True),
        ("[list] hello", "hello", False),
        ("[list][x] Re[2]: [y] hello", "hello", True),
        ("[list]", "[list]", False),
        ("Re: [list]", "[list]", True),
        ("[a][b]", "[b]", False),
        ("[Fwd: [list] Re: hello]", "hello", True),
        ("[fwd: hello (fwd)]", "hello", True),
        ("a\t b\r\n  c", "a b c", False),
        ("reply: hello", "reply: hello", False),
        ("Re: ", "", True),
        ("", "", False),
    ],
)
def test_what_replies_and_forwards_add_is_taken_off(subject: str, text: str, is_reply: bool) -> None:
    found = base_subject(subject)
    assert (found.text, found.is_reply) == (text, is_reply)


@given(st.text(alphabet="Rre:fwd[]() \tx2", max_size=60))
def test_a_base_subject_is_its_own(subject: str) -> None:
    text = base_subject(subject).text
    assert base_subject(text).text == text


@pytest.mark.parametrize(("left", "right"), [("Jörg", "JÖRG"), ("ﬁ", "FI"), ("straße", "STRASSE")])
def test_the_collation_takes_spellings_for_one(left: str, right: str) -> None:
    assert casemap(left) == casemap(right)


def test_the_collation_keeps_accents_apart() -> None:
    assert casemap("a") < casemap("ä") < casemap("b")
