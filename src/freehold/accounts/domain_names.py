"""Domain names as people type them, turned into the one form that is stored: lower case A-labels."""

import re
import unicodedata

from freehold.accounts.errors import InvalidDomainNameError
from freehold.protocols.smtp.domain import InvalidDomainError, parse_domain
from freehold.protocols.smtp.domain import to_ascii as encode_labels

MAX_NAME_OCTETS = 253
"""RFC 1035 §2.3.4: 255 on the wire, without the first length and the root."""

ACE_PREFIX = "xn--"

_WIDE_DOTS = re.compile("[\u3002\uff0e\uff61]")  # typed for the dot by East Asian keyboards, RFC 3490 §3.1


def to_ascii(text: str) -> str:
    """Return a fully qualified name in lower case A-labels, without a final dot.

    Raises:
        InvalidDomainNameError: it is no such name.
    """
    typed = _WIDE_DOTS.sub(".", text.strip()).removesuffix(".")
    if not typed.isascii():
        typed = unicodedata.normalize("NFKC", typed)  # full-width letters (RFC 5895 §2)
    try:
        name = encode_labels(parse_domain(typed, utf8=True))
    except InvalidDomainError:
        raise InvalidDomainNameError(f"{_shown(text)} is not a valid domain name") from None
    if "." not in name:  # RFC 5321 §2.3.5
        raise InvalidDomainNameError(f"{_shown(text)} is not a full domain name such as example.org")
    if len(name) > MAX_NAME_OCTETS:
        raise InvalidDomainNameError(f"a domain name has at most {MAX_NAME_OCTETS} characters")
    for label in name.split("."):
        if label.startswith(ACE_PREFIX) and _decoded(label) is None:
            raise InvalidDomainNameError(f"{_shown(label)} is not valid punycode")
    return name


def to_unicode(name: str) -> str:
    """Return a stored name for people to read; what is no valid punycode stays as it is."""
    if ACE_PREFIX not in name:
        return name
    return ".".join(_decoded(label) or label for label in name.split("."))


def _decoded(label: str) -> str | None:
    """Return the U-label of an A-label, or None unless it encodes back to the same (RFC 5891 §5.4)."""
    if not label.startswith(ACE_PREFIX):
        return None
    try:
        u_label = label[len(ACE_PREFIX) :].encode("ascii").decode("punycode")
        return u_label if encode_labels(u_label) == label else None
    except (UnicodeError, InvalidDomainError):
        return None


def _shown(text: str) -> str:
    """Return what somebody typed, cut short and with control characters escaped."""
    return repr(text[:80])
