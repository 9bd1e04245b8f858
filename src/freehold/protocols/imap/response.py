"""Status responses and continuation requests as octets (RFC 9051 §7.1, §7.6)."""

import re
from base64 import b64encode

from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.events import BadCommand

# resp-text is one line of text without NUL; what is outside US-ASCII would need IMAP4rev2.
_NOT_TEXT = re.compile(r"[^\x20-\x7e]")


def tagged(tag: bytes, status: Status, text: str, code: bytes | None = None) -> bytes:
    """Write the response that completes a command; with the tag `*` it is untagged."""
    text = _NOT_TEXT.sub("?", text) or "-"
    if code is None:
        return b"%b %b %b\r\n" % (tag, status.value, text.encode("ascii"))
    return b"%b %b [%b] %b\r\n" % (tag, status.value, code, text.encode("ascii"))


def ok(tag: bytes, text: str, code: bytes | None = None) -> bytes:
    """Write a tagged OK."""
    return tagged(tag, Status.OK, text, code)


def bad(tag: bytes, text: str, code: bytes | None = None) -> bytes:
    """Write a tagged BAD."""
    return tagged(tag, Status.BAD, text, code)


def untagged_ok(text: str, code: bytes | None = None) -> bytes:
    """Write an untagged OK; the greeting is one."""
    return tagged(b"*", Status.OK, text, code)


def untagged_no(text: str, code: bytes | None = None) -> bytes:
    """Write an untagged NO, a warning."""
    return tagged(b"*", Status.NO, text, code)


def bye(text: str, code: bytes | None = None) -> bytes:
    """Write the response before closing."""
    return _condition(b"BYE", text, code)


def refusal(event: BadCommand) -> bytes:
    """Write the reply that a bad command deserves."""
    return tagged(event.tag, event.status, event.text, event.code)


def continuation(text: str) -> bytes:
    """Write a continuation request."""
    return b"+ %b\r\n" % _NOT_TEXT.sub("?", text).encode("ascii")


def challenge(data: bytes) -> bytes:
    """Write a SASL challenge in base64."""
    return b"+ %b\r\n" % b64encode(data)


def _condition(condition: bytes, text: str, code: bytes | None) -> bytes:
    text_bytes = _NOT_TEXT.sub("?", text).encode("ascii") or b"-"
    if code is None:
        return b"* %b %b\r\n" % (condition, text_bytes)
    return b"* %b [%b] %b\r\n" % (condition, code, text_bytes)
