"""Command lines of a client, decoded to events (RFC 5321 §4.1)."""

import binascii
import re
from dataclasses import dataclass

from freehold.protocols.smtp.address import (
    InvalidAddressError,
    split_path,
    to_forward_path,
    to_reverse_path,
)
from freehold.protocols.smtp.domain import InvalidDomainError, parse_hello_name
from freehold.protocols.smtp.errors import CommandError
from freehold.protocols.smtp.events import AuthStarted, BdatStarted, Hello, Mail, Rcpt
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.parameters import parse_mail_parameters, parse_rcpt_parameters

# bdat-cmd = "BDAT" SP chunk-size [ SP "LAST" ] (RFC 3030 §2)
_BDAT = re.compile(r"([0-9]{1,20})(?: +(LAST))?\Z", re.IGNORECASE)
# sasl-mech = 1*20mech-char (RFC 4422 §3.1)
_AUTH = re.compile(r"([A-Za-z0-9_-]{1,20})(?: +([A-Za-z0-9+/=]+))?\Z")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MAY_HOLD_UTF8 = frozenset({"MAIL", "RCPT"})


@dataclass(frozen=True, slots=True)
class Command:
    """One command line: verb in upper case, argument without blanks around it."""

    verb: str
    argument: str


def split_command(line: bytes) -> Command:
    """Decode a line without its CRLF.

    Raises:
        CommandError: it holds control characters, or octets beyond ASCII outside MAIL and RCPT.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise CommandError.of(500, "5.5.2", "Not UTF-8") from None
    verb, _, argument = text.partition(" ")
    if not (text.isascii() and text.isprintable()):
        if _CONTROL.search(text):
            raise CommandError.of(500, "5.5.2", "Control characters are not allowed")
        if not verb.isascii() or verb.upper() not in _MAY_HOLD_UTF8:
            raise CommandError.of(500, "5.5.2", "ASCII only")
    return Command(verb.upper(), argument.strip(" "))


def parse_hello(argument: str, *, extended: bool) -> Hello:
    """Decode the argument of HELO, EHLO or LHLO.

    Raises:
        CommandError: it is neither a domain nor an address literal.
    """
    try:
        return Hello(parse_hello_name(argument), extended)
    except InvalidDomainError:
        raise CommandError.of(501, "5.5.4", "A domain name or an address literal is needed") from None


def parse_mail(argument: str, offered: frozenset[Extension]) -> Mail:
    """Decode the argument of MAIL; blanks after the colon are forgiven.

    Raises:
        CommandError: path or parameters cannot be taken.
    """
    path, rest = _split_path(argument, "FROM:")
    parameters = parse_mail_parameters(rest, offered)
    if not (parameters.smtputf8 or argument.isascii()):
        raise CommandError.of(553, "5.6.7", "SMTPUTF8 was not asked for")
    try:
        return Mail(to_reverse_path(path, utf8=parameters.smtputf8), parameters)
    except InvalidAddressError:
        raise CommandError.of(501, "5.1.7", "Bad sender address syntax") from None


def parse_rcpt(argument: str, offered: frozenset[Extension], *, utf8: bool) -> Rcpt:
    """Decode the argument of RCPT; `utf8` says that MAIL carried SMTPUTF8.

    Raises:
        CommandError: path or parameters cannot be taken.
    """
    path, rest = _split_path(argument, "TO:")
    if not (utf8 or argument.isascii()):
        raise CommandError.of(553, "5.6.7", "SMTPUTF8 was not asked for")
    parameters = parse_rcpt_parameters(rest, offered)
    try:
        return Rcpt(to_forward_path(path, utf8=utf8), parameters)
    except InvalidAddressError:
        raise CommandError.of(501, "5.1.3", "Bad recipient address syntax") from None


def parse_bdat(argument: str) -> BdatStarted:
    """Decode the argument of BDAT.

    Raises:
        CommandError: it does not say how many octets follow; the connection cannot go on.
    """
    match = _BDAT.match(argument)
    if match is None:
        raise CommandError.of(501, "5.5.4", "Bad BDAT argument")
    return BdatStarted(int(match[1]), match[2] is not None)


def parse_auth(argument: str, mechanisms: tuple[str, ...]) -> AuthStarted:
    """Decode the argument of AUTH; `=` stands for an empty initial response (RFC 4954 §4).

    Raises:
        CommandError: 504 for a mechanism that is not offered, 501 for bad syntax.
    """
    match = _AUTH.match(argument)
    if match is None:
        raise CommandError.of(501, "5.5.4", "Bad AUTH argument")
    mechanism, initial = match[1].upper(), match[2]
    if mechanism not in mechanisms:
        raise CommandError.of(504, "5.5.4", "Mechanism not offered")
    if initial is None:
        return AuthStarted(mechanism, None)
    return AuthStarted(mechanism, b"" if initial == "=" else decode_base64(initial.encode()))


def decode_base64(line: bytes) -> bytes:
    """Return the octets of one strict base64 line.

    Raises:
        CommandError: it is not base64.
    """
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        raise CommandError.of(501, "5.5.2", "Not base64") from None


def _split_path(argument: str, prefix: str) -> tuple[str, str]:
    if argument[: len(prefix)].upper() != prefix:
        raise CommandError.of(501, "5.5.4", f"{prefix}<address> is needed")
    try:
        split = split_path(argument[len(prefix) :].lstrip(" "))
    except InvalidAddressError:
        enhanced = "5.1.7" if prefix == "FROM:" else "5.1.3"
        raise CommandError.of(501, enhanced, "Bad address syntax") from None
    return split.address, split.rest
