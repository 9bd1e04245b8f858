"""Mail addresses and the paths that carry them (RFC 5321 §4.1.2, §4.5.3.1; RFC 6531 §3.3).

Says what is written well. Whether a domain is fully qualified or a mailbox exists is for the mail module.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Self

from freehold.errors import InvalidValueError
from freehold.protocols.smtp.domain import (
    InvalidDomainError,
    parse_domain,
    parse_domain_or_literal,
    to_ascii,
)

MAX_LOCAL_OCTETS = 64
"""Longest local part as written (RFC 5321 §4.5.3.1.1)."""

MAX_PATH_OCTETS = 256
"""Longest path with its punctuation (RFC 5321 §4.5.3.1.3); a stripped source route is not counted."""

# atom = 1*atext; Dot-string = Atom *("." Atom); UTF8-non-ascii joins atext and qtextSMTP (RFC 6531 §3.3).
# C1 controls, line and paragraph separators and lone surrogates are left out: they serve only to deceive.
_BEYOND_ASCII = "\u00a0-\u2027\u202a-\ud7ff\ue000-\U0010ffff"
_ATEXT = r"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~" + _BEYOND_ASCII
_DOT_STRING = rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*"
# Quoted-string = DQUOTE *( qtextSMTP / ("\" %d32-126) ) DQUOTE
_QUOTED = rf'"(?:[ !#-\[\]-~{_BEYOND_ASCII}]|\\[ -~])+"'
_LOCAL = rf"(?:{_DOT_STRING}|{_QUOTED})"
_ADDRESS = re.compile(rf"({_LOCAL})@([^@]+)\Z")
_PLAIN_LOCAL = re.compile(rf"{_DOT_STRING}\Z")
_QUOTED_PAIR = re.compile(r"\\([ -~])")
# Path = "<" [ A-d-l ":" ] Mailbox ">"; A-d-l = At-domain *( "," At-domain )
_PATH = re.compile(
    r"<(?:(?P<route>@[^\s@:,<>]+(?:,@[^\s@:,<>]+)*):)?"
    rf"(?P<address>{_LOCAL}(?:@[^\s<>@]+)?)?>(?: +(?P<rest>.*))?\Z"
)


class InvalidAddressError(InvalidValueError):
    """The text is not a mail address."""

    public = "this is not a valid mail address"


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """One mailbox name: `local` without quotes and as the writer cased it, `domain` in lower case."""

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str | bytes, *, utf8: bool) -> Self:
        """Read `local@domain`, `"quoted local"@domain` or `local@[address literal]`.

        Characters beyond ASCII are taken only with `utf8` (RFC 6531).

        Raises:
            InvalidAddressError: the syntax or a length of RFC 5321 §4.5.3.1 is violated.
        """
        if isinstance(text, bytes):
            text = _decode(text)
        match = _ADDRESS.match(text) if len(text) <= MAX_PATH_OCTETS - 2 else None
        if match is None:
            raise InvalidAddressError
        local, domain = match.groups()
        if not text.isascii() and (not utf8 or len(text.encode()) > MAX_PATH_OCTETS - 2):
            raise InvalidAddressError
        if len(local) > MAX_LOCAL_OCTETS or len(local.encode()) > MAX_LOCAL_OCTETS:
            raise InvalidAddressError
        try:
            parsed = parse_domain_or_literal(domain, utf8=utf8)
        except InvalidDomainError:
            raise InvalidAddressError from None
        return cls(_unquote(local), parsed)

    @property
    def ascii_domain(self) -> str:
        """The domain as DNS knows it, with A-labels instead of U-labels."""
        return to_ascii(self.domain)

    @property
    def needs_utf8(self) -> bool:
        """Whether only SMTPUTF8 can carry the address: its local part leaves ASCII."""
        return not self.local.isascii()

    @property
    def is_address_literal(self) -> bool:
        """Whether the domain is an IP address in brackets."""
        return self.domain.startswith("[")

    def __str__(self) -> str:
        return f"{_quote(self.local)}@{self.domain}"

    def to_ascii(self) -> str:
        """Return the address with an ASCII domain, for a server without SMTPUTF8."""
        return f"{_quote(self.local)}@{self.ascii_domain}"


class Postmaster(Enum):
    """The one recipient that needs no domain (RFC 5321 §4.1.1.3)."""

    POSTMASTER = "postmaster"


POSTMASTER = Postmaster.POSTMASTER

ReversePath = EmailAddress | None
"""Where failures go; None is the null path `<>` (RFC 5321 §4.5.5)."""

ForwardPath = EmailAddress | Postmaster
"""Where a message goes."""


@dataclass(frozen=True, slots=True)
class SplitPath:
    """A path taken off the front of an argument, and the parameters that follow it."""

    address: str
    rest: str


def split_path(text: str) -> SplitPath:
    """Take `<path>` off the front of `text`, check and drop its source route (RFC 5321 §C).

    Raises:
        InvalidAddressError: no well-formed path leads the text.
    """
    match = _PATH.match(text)
    if match is None:
        raise InvalidAddressError
    route, address, rest = match.group("route", "address", "rest")
    if route is not None:
        _check_route(route, has_address=address is not None)
    return SplitPath(address or "", rest or "")


def to_reverse_path(address: str, *, utf8: bool) -> ReversePath:
    """Return the address inside the path of MAIL, or None for `<>`.

    Raises:
        InvalidAddressError: it is not an address.
    """
    return EmailAddress.parse(address, utf8=utf8) if address else None


def to_forward_path(address: str, *, utf8: bool) -> ForwardPath:
    """Return the address inside the path of RCPT, or POSTMASTER for `<postmaster>` in any case.

    Raises:
        InvalidAddressError: it is not an address.
    """
    if address.lower() == "postmaster":
        return POSTMASTER
    return EmailAddress.parse(address, utf8=utf8)


def parse_reverse_path(text: str, *, utf8: bool) -> ReversePath:
    """Read `<>` or `<address>`, with an optional source route that is dropped.

    Raises:
        InvalidAddressError: it is no such path, or something follows it.
    """
    return to_reverse_path(_only_path(text), utf8=utf8)


def parse_forward_path(text: str, *, utf8: bool) -> ForwardPath:
    """Read `<address>` or `<postmaster>`, with an optional source route that is dropped.

    Raises:
        InvalidAddressError: it is no such path, or something follows it.
    """
    return to_forward_path(_only_path(text), utf8=utf8)


def format_path(address: ReversePath | Postmaster) -> str:
    """Return the path as MAIL and RCPT write it."""
    if address is None:
        return "<>"
    return f"<{address.value}>" if isinstance(address, Postmaster) else f"<{address}>"


def _only_path(text: str) -> str:
    split = split_path(text)
    if split.rest:
        raise InvalidAddressError
    return split.address


def _check_route(route: str, *, has_address: bool) -> None:
    if not has_address:
        raise InvalidAddressError
    try:
        for hop in route.split(","):
            parse_domain(hop[1:], utf8=False)
    except InvalidDomainError:
        raise InvalidAddressError from None


def _decode(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise InvalidAddressError from None


def _unquote(local: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", local[1:-1]) if local.startswith('"') else local


def _quote(local: str) -> str:
    if _PLAIN_LOCAL.match(local):
        return local
    escaped = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
