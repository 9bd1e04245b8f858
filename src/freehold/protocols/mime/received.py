"""The trace field that each server adds.

Owns RFC 5321 §4.4 (Received) and the keywords of RFC 3848 and RFC 6531 §4.3. What a peer said of
itself is reduced to harmless characters, so that no peer writes into our header.
"""

import re
from enum import StrEnum

import msgspec

from freehold.protocols.mime.date import date_header

MAX_NAME_CHARACTERS = 255
"""How much of a name that a peer gave is kept (RFC 5321 §4.5.3.1.2)."""
MAX_MAILBOX_CHARACTERS = 320
"""RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain."""

_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9.:_\[\]-]")
_NOT_IN_COMMENT = re.compile(r"[^A-Za-z0-9 .,:=/_-]")
_NOT_IN_MAILBOX = re.compile(r"[\x00-\x20\x7f-\x9f<>();,\\\"\u2028\u2029]|[\ud800-\udfff]")


class TransferProtocol(StrEnum):
    """How a message came, as the `with` clause says it."""

    SMTP = "SMTP"
    ESMTP = "ESMTP"
    ESMTPA = "ESMTPA"
    ESMTPS = "ESMTPS"
    ESMTPSA = "ESMTPSA"
    LMTP = "LMTP"
    LMTPA = "LMTPA"
    LMTPS = "LMTPS"
    LMTPSA = "LMTPSA"
    UTF8SMTP = "UTF8SMTP"
    UTF8SMTPA = "UTF8SMTPA"
    UTF8SMTPS = "UTF8SMTPS"
    UTF8SMTPSA = "UTF8SMTPSA"
    UTF8LMTP = "UTF8LMTP"
    UTF8LMTPA = "UTF8LMTPA"
    UTF8LMTPS = "UTF8LMTPS"
    UTF8LMTPSA = "UTF8LMTPSA"
    HTTP = "HTTP"


class Hop(msgspec.Struct, frozen=True):
    """One transfer of a message to this server.

    `helo` is what the peer called itself, `address` where it really is (an IP address as text),
    `reverse_name` its confirmed name in DNS, `tls` the version and cipher. `recipient` is given only
    where there is one, as it is shown to all.
    """

    helo: str
    address: str
    hostname: str
    protocol: TransferProtocol
    queue_id: str
    utc_ms: int
    reverse_name: str | None = None
    recipient: str | None = None
    tls: str | None = None


def transfer_protocol(
    *, lmtp: bool = False, tls: bool = False, authenticated: bool = False, utf8: bool = False
) -> TransferProtocol:
    """Return the keyword for an extended session (RFC 3848; with SMTPUTF8 RFC 6531 §4.3)."""
    transport = "LMTP" if lmtp else "SMTP" if utf8 else "ESMTP"
    base = f"UTF8{transport}" if utf8 else transport
    return TransferProtocol(f"{base}{'S' if tls else ''}{'A' if authenticated else ''}")


def received_header(hop: Hop) -> bytes:
    """Return a whole Received field, folded, with its line break. Each line is under 998 octets."""
    reverse = f"{_name(hop.reverse_name)} " if hop.reverse_name else ""
    address = _name(hop.address)
    literal = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
    tls = f" ({_NOT_IN_COMMENT.sub('?', hop.tls[:MAX_NAME_CHARACTERS])})" if hop.tls else ""
    recipient = f"for <{_mailbox(hop.recipient)}>" if hop.recipient else ""
    ending = (
        f"\r\n\t{recipient}; {date_header(hop.utc_ms)}" if recipient else f";\r\n\t{date_header(hop.utc_ms)}"
    )
    return (
        f"Received: from {_name(hop.helo)} ({reverse}{literal})\r\n"
        f"\tby {_name(hop.hostname)} with {hop.protocol.value}{tls} id {_name(hop.queue_id)}"
        f"{ending}\r\n"
    ).encode()


def _name(text: str) -> str:
    """Return a name of which only harmless characters are left."""
    return _NOT_IN_NAME.sub("?", text[:MAX_NAME_CHARACTERS]) or "unknown"


def _mailbox(text: str) -> str:
    return _NOT_IN_MAILBOX.sub("?", text[:MAX_MAILBOX_CHARACTERS])
