"""The relative IMAP URLs that CATENATE takes (RFC 4469 §5, RFC 5092 §7): a message of this server, or a part.

URLs with a server in them are not taken, for they would have the server read on behalf of whoever they name;
nor are those with a signature (URLAUTH, RFC 4467).
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from freehold.protocols.imap.body_section import BodySection, parse_body_section
from freehold.protocols.imap.cursor import MAX_NUMBER32, MAX_NUMBER63, Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_MAILBOX_BYTES
from freehold.protocols.imap.mailbox_name import decode_mailbox_name

# enc-mailbox [";UIDVALIDITY=" nz-number] "/;UID=" nz-number ["/;SECTION=" …] ["/;PARTIAL=" number ["." nz]]
_URL = re.compile(
    rb"/?(?:(?P<mailbox>[^;/][^;]*?)(?:;UIDVALIDITY=(?P<validity>[1-9]\d{0,9}))?/|/?);UID=(?P<uid>[1-9]\d{0,9})"
    rb"(?:/;SECTION=(?P<section>[^;]*?))?(?:/;PARTIAL=(?P<offset>\d{1,19})(?:\.(?P<length>[1-9]\d{0,18}))?)?/?",
    re.IGNORECASE,
)
# A scheme, or the start of "//server": both lead elsewhere.
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:|//")
# What may stand in BADURL's response code (RFC 4469 §5: any TEXT-CHAR but "]").
_NOT_QUOTABLE = re.compile(rb"[^\x21-\x5c\x5e-\x7e]")


class UrlError(CommandError):
    """The URL is malformed or names nothing on this server."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"not a URL that can be used: {expected}")


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """A message and what of it is meant; `mailbox` None is the open one."""

    mailbox: str | None
    uid_validity: int | None
    uid: int
    section: BodySection

    @classmethod
    def parse(cls, url: bytes) -> "MessageUrl":
        """Read a URL.

        Raises:
            UrlError: it is malformed, absolute, or names no message.
        """
        match = _URL.fullmatch(url)
        if match is None or _ABSOLUTE.match(url):
            raise UrlError("expected /mailbox/;UID=number")
        uid, validity = int(match["uid"]), match["validity"]
        if uid > MAX_NUMBER32:
            raise UrlError("UID out of range")
        mailbox = None if match["mailbox"] is None else _mailbox(match["mailbox"])
        section = _section(match["section"], match["offset"], match["length"])
        return cls(mailbox, None if validity is None else int(validity), uid, section)


def quotable(url: bytes) -> bytes:
    """Return a URL as the response code BADURL may quote it."""
    return _NOT_QUOTABLE.sub(lambda found: b"%%%02X" % found[0][0], url[: 4 * MAX_MAILBOX_BYTES]) or b"%"


def _mailbox(encoded: bytes) -> str:
    try:
        return decode_mailbox_name(unquote_to_bytes(encoded), utf8=True)
    except CommandError as error:
        raise UrlError("not a mailbox name") from error


def _section(encoded: bytes | None, offset: bytes | None, length: bytes | None) -> BodySection:
    text = b"[%b]" % unquote_to_bytes(encoded or b"")
    if offset is not None:
        text += b"<%b.%b>" % (offset, length or b"%d" % MAX_NUMBER63)
    cursor = Cursor(text)
    try:
        section = parse_body_section(cursor, b"BODY.PEEK")
        cursor.end()
    except CommandError as error:
        raise UrlError("not a section") from error
    return section
