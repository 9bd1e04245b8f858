"""The PROXY protocol, versions 1 and 2: who the client of a proxied connection is.

Specification: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt (§2.1 and §2.2). Only
bytes are judged here; which peers may say such a thing is the listener's matter. TLVs are skipped.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from freehold.errors import InvalidValueError

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
"""What a version 2 header starts with; 12 bytes, shorter than any version 1 header."""
V1_START = b"PROXY "
MAX_V1_BYTES = 107
"""The longest version 1 header with its CRLF (§2.1)."""
V2_FIXED_BYTES = 16
MAX_V2_BYTES = 4096
"""Longer headers are refused; the addresses take 52 bytes, a certificate's TLVs some hundred."""

_V2_LENGTH = struct.Struct("!H")
_V2_LOCAL = 0x20
_V2_PROXY = 0x21
_V2_TCP4 = 0x11
_V2_TCP6 = 0x21
_V2_WITHOUT_ENDPOINTS = {0x00, 0x12, 0x22, 0x31, 0x32}
"""UNSPEC, UDP and UNIX: legal, but they name no TCP client; the connection's own addresses hold (§2.2)."""
_ADDRESS_BYTES = {_V2_TCP4: 4, _V2_TCP6: 16}
_V1_FIELDS = 6
_MAX_PORT = 65535


class ProxyHeaderError(InvalidValueError):
    """The header is malformed; the connection must be dropped."""

    public = "malformed PROXY header"


@dataclass(frozen=True, slots=True)
class ProxiedClient:
    """The client's end of a connection that a proxy passed on."""

    address: IPv4Address | IPv6Address
    port: int


def bytes_missing(received: bytes) -> int:
    """Return how many bytes the header lacks at least; 0 when it is complete.

    Raises:
        ProxyHeaderError: no header can start like this, or it is longer than the bounds.
    """
    if len(received) < len(SIGNATURE):
        if SIGNATURE.startswith(received) or _could_be_v1(received):
            return len(SIGNATURE) - len(received)
        raise ProxyHeaderError
    if received.startswith(SIGNATURE):
        return _v2_bytes_missing(received)
    if not _could_be_v1(received):
        raise ProxyHeaderError
    if received.endswith(b"\r\n"):
        return 0
    if len(received) >= MAX_V1_BYTES or b"\n" in received:
        raise ProxyHeaderError
    return 1 if received.endswith(b"\r") else 2


def parse_header(header: bytes) -> ProxiedClient | None:
    """Return the client that a complete header names, or None where the connection's own addresses hold.

    None comes of the LOCAL command (a health check), of `UNKNOWN`, and of families other than TCP.

    Raises:
        ProxyHeaderError: the header is malformed.
    """
    if header.startswith(SIGNATURE):
        return _parse_v2(header)
    return _parse_v1(header)


def _could_be_v1(received: bytes) -> bool:
    return V1_START.startswith(received[: len(V1_START)])


def _v2_bytes_missing(received: bytes) -> int:
    if len(received) < V2_FIXED_BYTES:
        return V2_FIXED_BYTES - len(received)
    length = V2_FIXED_BYTES + int(_V2_LENGTH.unpack_from(received, V2_FIXED_BYTES - 2)[0])
    if length > MAX_V2_BYTES:
        raise ProxyHeaderError
    return max(0, length - len(received))


def _parse_v1(header: bytes) -> ProxiedClient | None:
    if len(header) > MAX_V1_BYTES or not header.endswith(b"\r\n"):
        raise ProxyHeaderError
    try:
        fields = header[:-2].decode("ascii").split(" ")
    except UnicodeDecodeError:
        raise ProxyHeaderError from None
    if fields[:2] == ["PROXY", "UNKNOWN"]:
        return None
    if len(fields) != _V1_FIELDS or fields[0] != "PROXY":
        raise ProxyHeaderError
    _, family, source, destination, source_port, destination_port = fields
    _v1_address(family, destination)
    _v1_port(destination_port)
    return ProxiedClient(_v1_address(family, source), _v1_port(source_port))


def _v1_address(family: str, text: str) -> IPv4Address | IPv6Address:
    try:
        if family == "TCP4":
            return IPv4Address(text)
        if family == "TCP6" and "%" not in text:
            return IPv6Address(text)
    except ValueError:
        raise ProxyHeaderError from None
    raise ProxyHeaderError


def _v1_port(text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(_MAX_PORT)) or int(text) > _MAX_PORT:
        raise ProxyHeaderError
    return int(text)


def _parse_v2(header: bytes) -> ProxiedClient | None:
    if bytes_missing(header):
        raise ProxyHeaderError
    command, family = header[12], header[13]
    if command == _V2_LOCAL:
        return None
    if command != _V2_PROXY:
        raise ProxyHeaderError
    if family in _V2_WITHOUT_ENDPOINTS:
        return None
    size = _ADDRESS_BYTES.get(family)
    if size is None or len(header) < V2_FIXED_BYTES + 2 * size + 4:
        raise ProxyHeaderError
    source = header[V2_FIXED_BYTES : V2_FIXED_BYTES + size]
    port = int(_V2_LENGTH.unpack_from(header, V2_FIXED_BYTES + 2 * size)[0])
    return ProxiedClient(IPv4Address(source) if family == _V2_TCP4 else IPv6Address(source), port)
