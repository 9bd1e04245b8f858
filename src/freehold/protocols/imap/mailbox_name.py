"""Mailbox names on the wire: modified UTF-7 (RFC 3501 §5.1.3), or UTF-8 once enabled (RFC 6855 §3).

Composing them (NFC) is left to whoever knows the folders, so that a client can be told how its spelling
of a name differs (RFC 9051 §5.1).
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from freehold.protocols.imap.errors import CommandError, Status
from freehold.protocols.imap.limits import MAX_MAILBOX_BYTES

INBOX = "INBOX"

# Printable US-ASCII stands for itself, but for "&" (RFC 3501 §5.1.3).
_PLAIN = re.compile(rb"[\x20-\x25\x27-\x7e]*")
_ENCODED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_TO_ENCODE = re.compile("&|[^\x20-\x7e]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def decode_mailbox_name(raw: bytes, *, utf8: bool = False) -> str:
    """Read a mailbox name; any case of INBOX becomes `INBOX`.

    Only the one canonical encoding is accepted, so that no mailbox has two names on the wire.

    Raises:
        CommandError: with NO, as for any other mailbox that cannot exist.
    """
    if not raw or len(raw) > MAX_MAILBOX_BYTES:
        raise CommandError("mailbox name is empty or too long", Status.NO, b"CANNOT")
    name = decode_name_text(raw, utf8=utf8)
    return INBOX if name.isascii() and name.upper() == INBOX else name


def decode_name_text(raw: bytes, *, utf8: bool = False) -> str:
    """Read a name or a piece of one (a reference, a list pattern), which may be empty."""
    if utf8:
        return _decode_utf8(raw)
    if _PLAIN.fullmatch(raw):
        return raw.decode("ascii")
    try:
        name = _ENCODED.sub(_decode_run, raw).decode("utf-8")
        canonical = encode_mailbox_name(name) == raw
    except (ValueError, Base64Error) as error:
        raise _invalid() from error
    if not canonical or _CONTROL.search(name):
        raise _invalid()
    return name


def encode_mailbox_name(name: str, *, utf8: bool = False) -> bytes:
    """Write a mailbox name in modified UTF-7, or in UTF-8.

    Raises:
        UnicodeEncodeError: the name holds half of a surrogate pair.
    """
    return name.encode("utf-8") if utf8 else _TO_ENCODE.sub(_encode_run, name).encode("ascii")


def _decode_utf8(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid() from error
    if _CONTROL.search(name):
        raise _invalid()
    return name


def _decode_run(match: re.Match[bytes]) -> bytes:
    coded = match[1].replace(b",", b"/")
    if not coded:
        return b"&"
    octets = b64decode(coded + b"=" * (-len(coded) % 4), validate=True)
    return octets.decode("utf-16-be").encode("utf-8")


def _encode_run(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&-"
    coded = b64encode(match[0].encode("utf-16-be")).rstrip(b"=")
    return f"&{coded.decode('ascii').replace('/', ',')}-"


def _invalid() -> CommandError:
    return CommandError("mailbox name is not valid in its encoding", Status.NO, b"CANNOT")
