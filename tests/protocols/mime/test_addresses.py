"""Address lists, well-formed and not."""

import pytest

from freehold.protocols.mime.addresses import (
    MAX_ADDRESSES,
    Address,
    AddressItem,
    Group,
    mailboxes,
    parse_addresses,
)


def plain(local: bytes, domain: bytes | None, name: bytes | None = None) -> Address:
    return Address(name, None, local, domain)


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (b"a@b", (plain(b"a", b"b"),)),
        (b"Ann Lee <a@b>, c@d", (plain(b"a", b"b", b"Ann Lee"), plain(b"c", b"d"))),
        (b'"Lee, Ann" <a@b>', (plain(b"a", b"b", b"Lee, Ann"),)),
        (b'"A \\"B\\" C" <a@b>', (plain(b"a", b"b", b'A "B" C'),)),
        (b'Ann "the" Lee <a@b>', (plain(b"a", b"b", b"Ann the Lee"),)),
        (b"J. R. Lee <a@b>", (plain(b"a", b"b", b"J. R. Lee"),)),
        (b"\r\n Ann\r\n\tLee\r\n <a@b>\r\n", (plain(b"a", b"b", b"Ann Lee"),)),
        (b"a@b (Ann (the) Lee)", (plain(b"a", b"b", b"Ann (the) Lee"),)),
        (b"(x) a (y) @ (z) b (Ann)", (plain(b"a", b"b", b"Ann"),)),
        (b"<a (c)@ (c) b.d>", (plain(b"a", b"b.d", b"c"),)),
        (b"<@r1,@r2:a@b>", (Address(None, b"@r1,@r2", b"a", b"b"),)),
        (b'"odd local"@b', (plain(b"odd local", b"b"),)),
        (b"a . b @ c . d", (plain(b"a.b", b"c.d"),)),
        (b"a@[192.0.2.1], b@[IPv6:::1]", (plain(b"a", b"[192.0.2.1]"), plain(b"b", b"[IPv6:::1]"))),
        (b"caf\xc3\xa9 <\xc3\xa9@b\xc3\xbc>", (plain(b"\xc3\xa9", b"b\xc3\xbc", b"caf\xc3\xa9"),)),
        (b"a@b <c@d>", (plain(b"c", b"d", b"a@b"),)),
        (b"Ann <a@b> Bob <c@d>", (plain(b"a", b"b", b"Ann"), plain(b"c", b"d", b"Bob"))),
        (b"Ann a@b", (plain(b"a", b"b", b"Ann"),)),
        (b"local", (plain(b"local", None),)),
        (b"<a@b", (plain(b"a", b"b"),)),
        (b",, ,a@b,", (plain(b"a", b"b"),)),
        (b"a@b; c@d", (plain(b"a", b"b"), plain(b"c", b"d"))),
        (b"", ()),
        (b" \r\n ", ()),
        (b"<>", ()),
        (b"(only a comment)", ()),
        (b"(never closed", ()),
        (b'"never closed', (plain(b"never closed", None),)),
        (b"g: a@b, c@d;", (Group(b"g", (plain(b"a", b"b"), plain(b"c", b"d"))),)),
        (b"undisclosed recipients:;", (Group(b"undisclosed recipients", ()),)),
        (b"g: a@b", (Group(b"g", (plain(b"a", b"b"),)),)),
        (b"g:;, h: <a@b>;, c@d", (Group(b"g", ()), Group(b"h", (plain(b"a", b"b"),)), plain(b"c", b"d"))),
    ],
)
def test_list_is_read(value: bytes, items: tuple[AddressItem, ...]) -> None:
    assert parse_addresses(value) == items


def test_members_of_groups_are_mailboxes_too() -> None:
    items = parse_addresses(b"a@b, g: c@d, e@f;, h@i")
    assert [box.local for box in mailboxes(items)] == [b"a", b"c", b"e", b"h"]


@pytest.mark.parametrize("value", [b"a@b,", b"(x)a@b,", b"g:a@b;", b"a b@c,", b"g:;"])
def test_number_of_addresses_is_bounded(value: bytes) -> None:
    assert len(mailboxes(parse_addresses(value * 50_000))) <= MAX_ADDRESSES


@pytest.mark.parametrize("value", [b"(", b"<", b'"', b"\\", b"@", b":", b"a ", b"[", b" ", b"a@b ", b"<@a:"])
def test_long_runs_of_specials_are_read(value: bytes) -> None:
    parse_addresses(value * 50_000)
