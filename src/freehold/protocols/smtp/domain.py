"""Domain names and address literals as mail writes them (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3)."""

import ipaddress
import re
import unicodedata

from freehold.errors import InvalidValueError

MAX_DOMAIN_OCTETS = 255
"""Longest domain (RFC 5321 §4.5.3.1.2)."""

MAX_LABEL_OCTETS = 63
"""Longest label of a name in its ASCII form (RFC 1035 §2.3.4)."""

# sub-domain = Let-dig [Ldh-str]; Domain = sub-domain *("." sub-domain)
# The last label may not be all digits (RFC 3696 §2), so a bare IPv4 address is no name.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}\Z")
_U_LABEL_CATEGORIES = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"})


class InvalidDomainError(InvalidValueError):
    """The text is neither a domain name nor an address literal."""

    public = "this is not a valid domain name"


def parse_domain(text: str, *, utf8: bool) -> str:
    """Return the name in lower case and NFC; one label suffices, a trailing dot does not belong.

    Labels with letters beyond ASCII (U-labels) are taken only with `utf8` (RFC 6531).

    Raises:
        InvalidDomainError: the syntax or a length is wrong.
    """
    lowered = text.lower()
    if text.isascii():
        if len(lowered) > MAX_DOMAIN_OCTETS or not _DOMAIN.match(lowered):
            raise InvalidDomainError
        return lowered
    if not utf8 or len(lowered) > MAX_DOMAIN_OCTETS:
        raise InvalidDomainError
    name = unicodedata.normalize("NFC", lowered)
    ascii_name = to_ascii(name)
    if len(name.encode()) > MAX_DOMAIN_OCTETS or len(ascii_name) > MAX_DOMAIN_OCTETS:
        raise InvalidDomainError
    if not _DOMAIN.match(ascii_name):
        raise InvalidDomainError
    return name


def to_ascii(name: str) -> str:
    """Return the form of a lower-case name that DNS knows: A-labels for U-labels (RFC 5890 §2.3.2.1).

    Raises:
        InvalidDomainError: a label holds a character that no name may hold, or is too long.
    """
    if name.isascii():
        return name
    return ".".join(_to_a_label(label) for label in name.split("."))


def _to_a_label(label: str) -> str:
    if label.isascii():
        return label
    if (
        label.startswith(("-", "xn--"))
        or label.endswith("-")
        or unicodedata.category(label[0]) in {"Mn", "Mc"}
    ):
        raise InvalidDomainError
    for character in label:
        if character != "-" and unicodedata.category(character) not in _U_LABEL_CATEGORIES:
            raise InvalidDomainError
    encoded = "xn--" + label.encode("punycode").decode("ascii")
    if len(encoded) > MAX_LABEL_OCTETS:
        raise InvalidDomainError
    return encoded


def parse_address_literal(text: str) -> str:
    """Return `[192.0.2.1]` or `[IPv6:2001:db8::1]` in its one canonical form (RFC 5321 §4.1.3).

    Raises:
        InvalidDomainError: it is no literal of IPv4 or IPv6; other tags are not registered.
    """
    if len(text) > MAX_DOMAIN_OCTETS or not (text.startswith("[") and text.endswith("]")):
        raise InvalidDomainError
    inner = text[1:-1]
    try:
        if inner[:5].lower() == "ipv6:":
            address = ipaddress.IPv6Address(inner[5:])
            if address.scope_id is not None:
                raise InvalidDomainError
            return f"[IPv6:{address.compressed}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ipaddress.AddressValueError:
        raise InvalidDomainError from None


def parse_domain_or_literal(text: str, *, utf8: bool) -> str:
    """Return what may stand right of an at-sign: a domain, or an address literal.

    Raises:
        InvalidDomainError: it is neither.
    """
    if text.startswith("["):
        return parse_address_literal(text)
    return parse_domain(text, utf8=utf8)


def parse_hello_name(text: str, *, utf8: bool = False) -> str:
    """Return the argument of HELO, EHLO or LHLO: a domain or an address literal (RFC 5321 §4.1.1.1).

    Raises:
        InvalidDomainError: it is neither, such as a bare IP address or a name with an underscore.
    """
    return parse_domain_or_literal(text, utf8=utf8)
