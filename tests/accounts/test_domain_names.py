"""Domain names as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.accounts.domain_names import to_ascii, to_unicode
from freehold.accounts.errors import InvalidDomainNameError


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("example.org", "example.org"),
        (" Example.ORG. ", "example.org"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("例え\u3002テスト", "xn--r8jz45g.xn--zckzah"),
        ("\uff45\uff58.example", "ex.example"),
        ("a-b.1and1.example", "a-b.1and1.example"),
    ],
)
def test_a_name_is_stored_in_lower_case_a_labels(typed: str, stored: str) -> None:
    assert to_ascii(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "localhost",
        "a..example",
        "-a.example",
        "a-.example",
        "a_b.example",
        "192.0.2.1",
        "[192.0.2.1]",
        "a b.example",
        "a@b.example",
        "xn--.example",
        "xn--a.example",
        "xn--bcher-kva9999999.example",
        "☃.example",
        "x" * 64 + ".example",
        ".".join(["abcdefghi"] * 26),
        "ü" * 60 + ".example",
        "a\0b.example",
        "\ud800.example",
    ],
)
def test_what_is_no_full_domain_name_is_refused(typed: str) -> None:
    with pytest.raises(InvalidDomainNameError):
        to_ascii(typed)


def test_a_stored_name_is_shown_in_letters() -> None:
    assert to_unicode("xn--bcher-kva.example") == "bücher.example"


def test_bad_punycode_is_shown_as_it_is() -> None:
    assert to_unicode("xn--a.example") == "xn--a.example"


@given(st.text(max_size=80))
def test_any_text_gives_a_stable_name_or_the_one_error(text: str) -> None:
    try:
        name = to_ascii(text)
    except InvalidDomainNameError:
        return
    assert name.isascii()
    assert name == name.lower()
    assert to_ascii(name) == name
    assert to_ascii(to_unicode(name)) == name
