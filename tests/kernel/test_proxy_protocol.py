from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.kernel.proxy_protocol import (
    MAX_V1_BYTES,
    SIGNATURE,
    ProxiedClient,
    ProxyHeaderError,
    bytes_missing,
    parse_header,
)

ADDRESSES_4 = bytes([192, 0, 2, 7, 192, 0, 2, 25]) + b"\x30\x39\x00\x19"
ADDRESSES_6 = ip_address("2001:db8::7").packed + ip_address("2001:db8::25").packed + b"\x30\x39\x00\x19"

GOOD = [
    (b"PROXY TCP4 192.0.2.7 192.0.2.25 12345 25\r\n", "192.0.2.7"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::25 12345 25\r\n", "2001:db8::7"),
    (SIGNATURE + b"\x21\x11\x00\x0c" + ADDRESSES_4, "192.0.2.7"),
    (SIGNATURE + b"\x21\x21\x00\x24" + ADDRESSES_6, "2001:db8::7"),
    (SIGNATURE + b"\x21\x11\x00\x10" + ADDRESSES_4 + b"\x04\x00\x01x", "192.0.2.7"),
]
WITHOUT_CLIENT = [
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n",
    SIGNATURE + b"\x20\x00\x00\x00",
    SIGNATURE + b"\x20\x11\x00\x0c" + ADDRESSES_4,
    SIGNATURE + b"\x21\x00\x00\x00",
    SIGNATURE + b"\x21\x12\x00\x0c" + ADDRESSES_4,
    SIGNATURE + b"\x21\x31\x00\xd8" + bytes(216),
]
MALFORMED = [
    b"EHLO client.example\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.25 12345\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.25 12345 25 26\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.25 123456 25\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.25 -1 25\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.25 \xd9\xa1 25\r\n",
    b"PROXY TCP4 2001:db8::7 192.0.2.25 12345 25\r\n",
    b"PROXY TCP6 fe80::1%eth0 2001:db8::25 12345 25\r\n",
    b"PROXY UDP4 192.0.2.7 192.0.2.25 12345 25\r\n",
    b"PROXY TCP4 192.0.2.7 192.0.2.25 12345 25\n",
    b"PROXY " + b"x" * MAX_V1_BYTES + b"\r\n",
    SIGNATURE + b"\x11\x11\x00\x0c" + ADDRESSES_4,
    SIGNATURE + b"\x22\x11\x00\x0c" + ADDRESSES_4,
    SIGNATURE + b"\x21\x41\x00\x0c" + ADDRESSES_4,
    SIGNATURE + b"\x21\x11\x00\x0b" + ADDRESSES_4[:-1],
    SIGNATURE + b"\x21\x11\xff\xff" + ADDRESSES_4,
]


def read(stream: bytes) -> ProxiedClient | None:
    """Read as the listener does: what is missing, and never a byte after the header."""
    header = b""
    while missing := bytes_missing(header):
        more = stream[len(header) : len(header) + missing]
        if not more:
            raise ProxyHeaderError
        header += more
    return parse_header(header)


@pytest.mark.parametrize(("header", "address"), GOOD)
def test_a_header_names_the_client(header: bytes, address: str) -> None:
    assert read(header + b"EHLO") == ProxiedClient(ip_address(address), 12345)


@pytest.mark.parametrize("header", [header for header, _ in GOOD] + WITHOUT_CLIENT)
def test_not_a_byte_after_the_header_is_asked_for(header: bytes) -> None:
    for size in range(len(header)):
        assert 0 < bytes_missing(header[:size]) <= len(header) - size
    assert bytes_missing(header) == 0


@pytest.mark.parametrize("header", WITHOUT_CLIENT)
def test_local_and_unknown_name_no_client(header: bytes) -> None:
    assert read(header) is None


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_header_is_refused(header: bytes) -> None:
    with pytest.raises(ProxyHeaderError):
        read(header)


@given(st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11\x00"]), st.binary())
def test_no_bytes_raise_anything_else(start: bytes, rest: bytes) -> None:
    try:
        read(start + rest)
    except ProxyHeaderError:
        return
