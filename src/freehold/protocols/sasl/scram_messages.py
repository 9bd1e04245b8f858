"""Messages of SCRAM (RFC 5802 §7), parsed and written."""

import binascii
import re
from dataclasses import dataclass

from freehold.errors import InvalidValueError
from freehold.protocols.sasl.mechanism import MAX_RESPONSE_OCTETS, SaslError
from freehold.protocols.sasl.prepare import saslprep

MIN_NONCE_CHARACTERS = 8
MAX_NONCE_CHARACTERS = 512

# gs2-header = gs2-cbind-flag "," [ authzid ] ","; without channel binding the flag is "n" or "y"
# client-first-message-bare = username "," nonce ["," extensions]; "m=" is reserved and must fail
_CLIENT_FIRST = re.compile(
    r"(?P<gs2>[ny],(?:a=(?P<authorization>[^,]+))?,)"
    r"(?P<bare>n=(?P<login>[^,]+),r=(?P<nonce>[^,]+)(?:,.*)?)\Z",
    re.DOTALL,
)
# client-final-message-without-proof = channel-binding "," nonce ["," extensions]
_CLIENT_FINAL = re.compile(
    r"(?P<without_proof>c=(?P<binding>[^,]+),r=(?P<nonce>[^,]+)(?:,.*)?),p=(?P<proof>[^,]+)\Z", re.DOTALL
)
# printable = %x21-2B / %x2D-7E
_NONCE = re.compile(r"[!-+\--~]+\Z")
# A saslname writes a comma as =2C and the equals sign as =3D, and knows no other escape.
_BAD_ESCAPE = re.compile("=(?!2C|3D)")


@dataclass(frozen=True, slots=True)
class ClientFirst:
    """The first message of a client."""

    gs2_header: str
    bare: str
    authorization: str
    login: str
    nonce: str


@dataclass(frozen=True, slots=True)
class ClientFinal:
    """The second message of a client."""

    without_proof: str
    channel_binding: bytes
    nonce: str
    proof: bytes


def parse_client_first(message: bytes) -> ClientFirst:
    """Decode `n,,n=user,r=nonce`.

    Raises:
        SaslError: it is malformed, or asks for channel binding.
    """
    match = _CLIENT_FIRST.match(decode_message(message))
    if match is None:
        raise SaslError
    nonce = match["nonce"]
    if not (MIN_NONCE_CHARACTERS <= len(nonce) <= MAX_NONCE_CHARACTERS and _NONCE.match(nonce)):
        raise SaslError
    authorization = decode_name(match["authorization"] or "")
    login = decode_name(match["login"])
    if not login:
        raise SaslError
    return ClientFirst(match["gs2"], match["bare"], authorization, login, nonce)


def parse_client_final(message: bytes) -> ClientFinal:
    """Decode `c=biws,r=nonce,p=proof`.

    Raises:
        SaslError: it is malformed.
    """
    match = _CLIENT_FINAL.match(decode_message(message))
    if match is None:
        raise SaslError
    return ClientFinal(
        match["without_proof"], decode_base64(match["binding"]), match["nonce"], decode_base64(match["proof"])
    )


def decode_message(message: bytes) -> str:
    """Return the text of a message of either side.

    Raises:
        SaslError: it is too long, not UTF-8, or holds NUL.
    """
    if len(message) > MAX_RESPONSE_OCTETS or b"\0" in message:
        raise SaslError
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise SaslError from None


def decode_name(escaped: str) -> str:
    """Return the prepared name that a saslname stands for.

    Raises:
        SaslError: an escape is wrong, or a character is not allowed.
    """
    if _BAD_ESCAPE.search(escaped):
        raise SaslError
    try:
        return saslprep(escaped.replace("=2C", ",").replace("=3D", "="), allow_unassigned=True)
    except InvalidValueError:
        raise SaslError from None


def encode_name(name: str) -> str:
    """Return a name as saslname."""
    return name.replace("=", "=3D").replace(",", "=2C")


def decode_base64(text: str) -> bytes:
    """Return the octets of strict base64.

    Raises:
        SaslError: it is not base64.
    """
    try:
        return binascii.a2b_base64(text.encode(), strict_mode=True)
    except binascii.Error:
        raise SaslError from None


def encode_base64(octets: bytes) -> str:
    """Return octets as base64."""
    return binascii.b2a_base64(octets, newline=False).decode("ascii")
