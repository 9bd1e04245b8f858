"""Encodings of parameter values: xtext (RFC 3461 §4) and utf-8-addr-xtext (RFC 6533 §3)."""

import re

from freehold.errors import InvalidValueError

# xtext = *( xchar / hexchar ); hexchar = "+" 2(%x30-39 / %x41-46); xchar = %d33-126 without "+" and "="
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*\Z")
_HEX_CHARACTER = re.compile(r"\+([0-9A-F]{2})")
_NOT_XCHAR = re.compile(r"[^!-*,-<>-~]")
# EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"
_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_NOT_EMBEDDABLE = re.compile(r"[^!-*,-<>-\[\]-~]")
_MAX_CODE_POINT = 0x10FFFF


class InvalidXtextError(InvalidValueError):
    """The value is not well encoded, or hides a control character."""

    public = "a parameter is badly encoded"


def decode_xtext(value: str) -> str:
    """Return the printable ASCII that the value stands for.

    Raises:
        InvalidXtextError: the encoding is wrong, or it hides anything but printable ASCII, which could
            break the header of a bounce.
    """
    if not _XTEXT.match(value):
        raise InvalidXtextError
    decoded = _HEX_CHARACTER.sub(lambda match: chr(int(match[1], 16)), value)
    if not (decoded.isascii() and decoded.isprintable()):
        raise InvalidXtextError
    return decoded


def encode_xtext(text: str) -> str:
    r"""Return printable ASCII as xtext.

    Raises:
        InvalidXtextError: the text is not printable ASCII.
    """
    if not (text.isascii() and text.isprintable()):
        raise InvalidXtextError
    return _NOT_XCHAR.sub(lambda match: f"+{ord(match[0]):02X}", text)


def decode_utf8_address(value: str) -> str:
    r"""Return the address of an ORCPT of type utf-8: `\x{…}` decoded, raw Unicode kept.

    Raises:
        InvalidXtextError: an escape is no character, or the result holds controls.
    """
    decoded = _EMBEDDED.sub(_embedded_character, value)
    if not decoded.isprintable():
        raise InvalidXtextError
    return decoded


def encode_utf8_address(text: str) -> str:
    r"""Return the address in ASCII, with `\x{…}` for what xtext cannot hold."""
    return _NOT_EMBEDDABLE.sub(lambda match: f"\\x{{{ord(match[0]):02X}}}", text)


def _embedded_character(match: re.Match[str]) -> str:
    point = int(match[1], 16)
    if point > _MAX_CODE_POINT:
        raise InvalidXtextError
    return chr(point)
