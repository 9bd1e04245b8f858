"""Addresses, paths and the names of HELO."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.smtp.address import (
    POSTMASTER,
    EmailAddress,
    InvalidAddressError,
    format_path,
    parse_forward_path,
    parse_reverse_path,
)
from freehold.protocols.smtp.domain import InvalidDomainError, parse_domain, parse_hello_name


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("a@b.example", "a", "b.example"),
        ("A.b+c@B.EXAMPLE", "A.b+c", "b.example"),
        ('"a b"@c.example', "a b", "c.example"),
        ('"a@b\\"\\\\c>"@d.example', 'a@b"\\c>', "d.example"),
        ('"plain"@d.example', "plain", "d.example"),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("a@[IPv6:2001:DB8:0::1]", "a", "[IPv6:2001:db8::1]"),
        ("a@localhost", "a", "localhost"),
        ("!#$%&'*+-/=?^_`{|}~@x-1.example", "!#$%&'*+-/=?^_`{|}~", "x-1.example"),
        ("x" * 64 + "@b.example", "x" * 64, "b.example"),
    ],
)
def test_a_well_formed_address_is_read(text: str, local: str, domain: str) -> None:
    assert EmailAddress.parse(text, utf8=False) == EmailAddress(local, domain)
    assert EmailAddress.parse(text.encode(), utf8=True) == EmailAddress(local, domain)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@b.example",
        "a@",
        "a@b@c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a b@c",
        '""@b.example',
        '"a@b.example',
        '"a"b@c.example',
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a@b_c",
        "a@b.",
        "a@192.0.2.1",
        "a@[192.0.2]",
        "a@[IPv6:fe80::1%eth0]",
        "a@[x:1]",
        "a@b\r\n",
        "a\x00@b",
        "ü@b.example",
        "a@\u212aelvin.example",
        "x" * 65 + "@b.example",
        "a@" + "b" * 64 + ".example",
        "a@" + "b." * 130 + "c",
    ],
)
def test_a_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        EmailAddress.parse(text, utf8=False)


def test_a_path_has_at_most_256_octets() -> None:
    domain = ".".join(["x" * 63] * 3)
    local = "a" * (254 - 1 - len(domain))
    assert EmailAddress.parse(f"{local}@{domain}", utf8=False).local == local
    with pytest.raises(InvalidAddressError):
        EmailAddress.parse(f"a{local}@{domain}", utf8=False)


def test_internationalised_names_have_an_ascii_form() -> None:
    address = EmailAddress.parse("Jörg@BÜCHER.example", utf8=True)
    assert address == EmailAddress("Jörg", "bücher.example")
    assert address.ascii_domain == "xn--bcher-kva.example"
    assert address.needs_utf8
    assert EmailAddress.parse("a@bu\u0308cher.example", utf8=True).domain == "bücher.example"
    assert EmailAddress.parse("a@例え.テスト", utf8=True).to_ascii() == "a@xn--r8jz45g.xn--zckzah"


@pytest.mark.parametrize(
    "domain", ["a\u200b.example", "\u0301a.example", "a。example", "☃.example", "ü" * 60, "xn--ü.example"]
)
def test_characters_that_no_name_holds_are_refused(domain: str) -> None:
    with pytest.raises(InvalidDomainError):
        parse_domain(domain, utf8=True)


def test_utf8_that_is_not_utf8_is_no_address() -> None:
    with pytest.raises(InvalidAddressError):
        EmailAddress.parse(b"\xff@b.example", utf8=True)


def test_paths_are_read_and_source_routes_dropped() -> None:
    alice = EmailAddress("alice", "c.example")
    assert parse_reverse_path("<>", utf8=False) is None
    assert parse_reverse_path("<alice@c.example>", utf8=False) == alice
    assert parse_forward_path("<@a.example,@b.example:alice@c.example>", utf8=False) == alice
    assert parse_forward_path("<postMASTER>", utf8=False) is POSTMASTER
    assert parse_forward_path('<"a>b"@c.example>', utf8=False) == EmailAddress("a>b", "c.example")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a@b",
        "<a@b",
        "a@b>",
        "<a@b> x",
        "<@a:>",
        "<@a,b:c@d>",
        "<@a_:c@d>",
        "<@a c@d>",
        "<<a@b>>",
        "<a>",
        "< a@b>",
        "<>>",
    ],
)
def test_malformed_paths_are_refused(path: str) -> None:
    with pytest.raises(InvalidAddressError):
        parse_forward_path(path, utf8=False)


def test_hello_takes_names_and_literals() -> None:
    assert parse_hello_name("Mail.Example") == "mail.example"
    assert parse_hello_name("[192.0.2.1]") == "[192.0.2.1]"
    assert parse_hello_name("[ipv6:::1]") == "[IPv6:::1]"


LOCALS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"]), min_size=1, max_size=20
)
LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@given(LOCALS, st.lists(LABELS, min_size=1, max_size=4).map(".".join))
def test_an_address_survives_writing_and_reading(local: str, domain: str) -> None:
    address = EmailAddress(local, domain)
    assert EmailAddress.parse(str(address), utf8=True) == address
    assert parse_reverse_path(format_path(address), utf8=True) == address


@given(st.text(max_size=40))
def test_reading_any_text_raises_nothing_but_its_error(text: str) -> None:
    for candidate in (text, f"{text}@b.example", f"a@{text}"):
        try:
            address = EmailAddress.parse(candidate, utf8=True)
        except InvalidAddressError:
            continue
        assert EmailAddress.parse(str(address), utf8=True) == address
        assert address.ascii_domain.isascii()
