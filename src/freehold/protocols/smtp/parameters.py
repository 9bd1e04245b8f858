"""ESMTP parameters of MAIL and RCPT as typed values (RFC 5321 §4.1.1.11).

SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954 §5),
RET, ENVID, NOTIFY and ORCPT (RFC 3461).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, Flag, auto
from typing import Generic, TypeVar

from freehold.errors import InvalidValueError
from freehold.protocols.smtp.address import EmailAddress
from freehold.protocols.smtp.errors import CommandError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.xtext import (
    decode_utf8_address,
    decode_xtext,
    encode_utf8_address,
    encode_xtext,
)

MAX_ENVID_OCTETS = 100
"""Longest envelope identifier (RFC 3461 §4.4)."""

MAX_ORCPT_OCTETS = 500
"""Longest original recipient (RFC 3461 §4.2)."""

# esmtp-param = esmtp-keyword ["=" esmtp-value]
# esmtp-value = 1*(%d33-60 / %d62-126), and UTF8-non-ascii under SMTPUTF8
_PARAMETER = re.compile(r"(?P<keyword>[A-Za-z0-9][A-Za-z0-9-]*)(?:=(?P<value>[^\x00-\x20=\x7f]+))?\Z")
_SIZE = re.compile(r"[0-9]{1,20}\Z")
# original-recipient-address = addr-type ";" xtext
_ORIGINAL_RECIPIENT = re.compile(r"([A-Za-z0-9-]+);(.+)\Z")


class Body(Enum):
    """Which octets the content may hold (RFC 6152)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"


class Return(Enum):
    """How much of the message a bounce returns (RFC 3461 §4.3)."""

    FULL = "FULL"
    HEADERS = "HDRS"


class Notify(Flag):
    """What the sender wants to hear of; no flag set is NEVER (RFC 3461 §4.1)."""

    SUCCESS = auto()
    FAILURE = auto()
    DELAY = auto()


NOTIFY_NEVER = Notify(0)


@dataclass(frozen=True, slots=True)
class OriginalRecipient:
    """The address that the first sender wrote, of the given type, decoded (RFC 3461 §4.2)."""

    address_type: str
    address: str


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What came with MAIL.

    `submitter` is None without AUTH and for `AUTH=<>`: both say nothing that one may trust (RFC 4954 §5).
    """

    size: int | None = None
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    submitter: EmailAddress | None = None
    ret: Return | None = None
    envid: str | None = None


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """What came with RCPT; `notify` is None when the sender left it to the default."""

    notify: Notify | None = None
    original_recipient: OriginalRecipient | None = None


NO_MAIL_PARAMETERS = MailParameters()
NO_RCPT_PARAMETERS = RcptParameters()


def parse_mail_parameters(text: str, offered: frozenset[Extension]) -> MailParameters:
    """Decode what follows the path of MAIL.

    Raises:
        CommandError: 555 for one that is unknown or not offered, 504 for BODY=BINARYMIME, 501 for a bad
            or second value.
    """
    if not text:
        return NO_MAIL_PARAMETERS
    return _decode(text, offered, _MAIL_DECODERS, NO_MAIL_PARAMETERS)


def parse_rcpt_parameters(text: str, offered: frozenset[Extension]) -> RcptParameters:
    """Decode what follows the path of RCPT.

    Raises:
        CommandError: 555 for an unknown or not offered one, 501 for a bad or second value.
    """
    if not text:
        return NO_RCPT_PARAMETERS
    return _decode(text, offered, _RCPT_DECODERS, NO_RCPT_PARAMETERS)


def format_mail_parameters(parameters: MailParameters) -> str:
    """Return the parameters as a client writes them, each with a blank in front; nothing for the defaults."""
    words = []
    if parameters.size is not None:
        words.append(f" SIZE={parameters.size}")
    if parameters.body is not Body.SEVEN_BIT:
        words.append(f" BODY={parameters.body.value}")
    if parameters.smtputf8:
        words.append(" SMTPUTF8")
    if parameters.submitter is not None:
        words.append(f" AUTH={encode_xtext(str(parameters.submitter))}")
    if parameters.ret is not None:
        words.append(f" RET={parameters.ret.value}")
    if parameters.envid is not None:
        words.append(f" ENVID={encode_xtext(parameters.envid)}")
    return "".join(words)


def format_rcpt_parameters(parameters: RcptParameters) -> str:
    """Return the parameters as a client writes them, each with a blank in front; nothing for the defaults."""
    words = ""
    if parameters.notify is not None:
        words += " NOTIFY=" + (",".join(str(flag.name) for flag in parameters.notify) or "NEVER")
    if parameters.original_recipient is not None:
        original = parameters.original_recipient
        encode = encode_utf8_address if original.address_type == "utf-8" else encode_xtext
        words += f" ORCPT={original.address_type};{encode(original.address)}"
    return words


Parameters = TypeVar("Parameters", MailParameters, RcptParameters)


@dataclass(frozen=True, slots=True)
class _Decoder(Generic[Parameters]):
    """How one keyword joins the parameters, and the extension that must be offered for it."""

    extension: Extension
    join: Callable[[Parameters, str], Parameters]
    has_value: bool = True


def _decode(
    text: str,
    offered: frozenset[Extension],
    decoders: dict[str, _Decoder[Parameters]],
    parameters: Parameters,
) -> Parameters:
    seen = set()
    for word in text.split():
        match = _PARAMETER.match(word)
        if match is None:
            raise CommandError.of(501, "5.5.4", "Malformed parameter")
        keyword, value = match["keyword"].upper(), match["value"]
        decoder = decoders.get(keyword)
        if decoder is None or decoder.extension not in offered:
            raise CommandError.of(555, "5.5.4", "Parameter not recognised")
        if keyword in seen or (value is not None) != decoder.has_value:
            raise _bad(keyword)
        seen.add(keyword)
        try:
            parameters = decoder.join(parameters, value or "")
        except InvalidValueError:
            raise _bad(keyword) from None
    return parameters


def _bad(keyword: str) -> CommandError:
    return CommandError.of(501, "5.5.4", f"Bad value of {keyword}")


def _size(value: str) -> int:
    if not _SIZE.match(value):
        raise InvalidValueError
    return int(value)


def _body(value: str) -> Body:
    if value.upper() == "BINARYMIME":
        raise CommandError.of(504, "5.5.4", "BODY=BINARYMIME is not offered")
    try:
        return Body(value.upper())
    except ValueError:
        raise InvalidValueError from None


def _submitter(value: str) -> EmailAddress | None:
    decoded = decode_xtext(value)
    return None if decoded == "<>" else EmailAddress.parse(decoded, utf8=False)


def _return(value: str) -> Return:
    try:
        return Return(value.upper())
    except ValueError:
        raise InvalidValueError from None


def _envid(value: str) -> str:
    if len(value) > MAX_ENVID_OCTETS:
        raise InvalidValueError
    return decode_xtext(value)


def _notify(value: str) -> Notify:
    if value.upper() == "NEVER":
        return NOTIFY_NEVER
    notify = NOTIFY_NEVER
    for word in value.upper().split(","):
        flag = Notify.__members__.get(word)
        if flag is None:
            raise InvalidValueError
        notify |= flag
    return notify


def _original_recipient(value: str) -> OriginalRecipient:
    match = _ORIGINAL_RECIPIENT.match(value)
    if match is None or len(value.encode()) > MAX_ORCPT_OCTETS:
        raise InvalidValueError
    address_type = match[1].lower()
    decode = decode_utf8_address if address_type == "utf-8" else decode_xtext
    return OriginalRecipient(address_type, decode(match[2]))


_MAIL_DECODERS: dict[str, _Decoder[MailParameters]] = {
    "SIZE": _Decoder(Extension.SIZE, lambda known, value: replace(known, size=_size(value))),
    "BODY": _Decoder(Extension.EIGHT_BIT_MIME, lambda known, value: replace(known, body=_body(value))),
    "SMTPUTF8": _Decoder(Extension.SMTPUTF8, lambda known, _: replace(known, smtputf8=True), has_value=False),
    "AUTH": _Decoder(Extension.AUTH, lambda known, value: replace(known, submitter=_submitter(value))),
    "RET": _Decoder(Extension.DSN, lambda known, value: replace(known, ret=_return(value))),
    "ENVID": _Decoder(Extension.DSN, lambda known, value: replace(known, envid=_envid(value))),
}
_RCPT_DECODERS: dict[str, _Decoder[RcptParameters]] = {
    "NOTIFY": _Decoder(Extension.DSN, lambda known, value: replace(known, notify=_notify(value))),
    "ORCPT": _Decoder(
        Extension.DSN, lambda known, value: replace(known, original_recipient=_original_recipient(value))
    ),
}
