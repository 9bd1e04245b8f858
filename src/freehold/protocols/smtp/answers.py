"""Replies that a server connection gives by itself, or by default."""

from freehold.protocols.smtp.events import (
    AuthResponse,
    AuthStarted,
    BdatEnd,
    DataStarted,
    Event,
    Mail,
    MessageEnd,
    Rcpt,
    StartTls,
)
from freehold.protocols.smtp.reply import Reply

OK = Reply.of(250, "2.0.0", "OK")
GOODBYE = Reply.of(221, "2.0.0", "Goodbye")
_AUTHENTICATED = Reply.of(235, "2.7.0", "Authentication succeeded")

ACCEPTANCES: dict[type[Event], Reply] = {
    Mail: Reply.of(250, "2.1.0", "Sender OK"),
    Rcpt: Reply.of(250, "2.1.5", "Recipient OK"),
    DataStarted: Reply.of(354, None, "End data with <CR><LF>.<CR><LF>"),
    BdatEnd: OK,
    MessageEnd: OK,
    StartTls: Reply.of(220, "2.0.0", "Ready to start TLS"),
    AuthStarted: _AUTHENTICATED,
    AuthResponse: _AUTHENTICATED,
}
"""What `accept` says when the session has nothing of its own to say."""

ANSWERS = {
    "NOOP": OK,
    "HELP": Reply.of(214, "2.0.0", "See RFC 5321"),
    "VRFY": Reply.of(252, "2.0.0", "Not verified; send mail and see"),
}
"""What is said to commands that decide nothing; VRFY tells nothing (RFC 5321 §3.5.3)."""

BAD_SEQUENCE = Reply.of(503, "5.5.1", "Bad sequence of commands")
NO_RECIPIENTS = Reply.of(503, "5.5.1", "No valid recipients")
UNKNOWN = Reply.of(500, "5.5.1", "Command not recognised")
NOT_IMPLEMENTED = Reply.of(502, "5.5.1", "Command not implemented")
NO_ARGUMENT = Reply.of(501, "5.5.4", "No argument is allowed")
LINE_TOO_LONG = Reply.of(500, "5.5.2", "Line too long")
LINE_WITHOUT_CRLF = Reply.of(500, "5.5.2", "Lines end in CRLF")
AUTH_LINE_TOO_LONG = Reply.of(500, "5.5.6", "Authentication exchange line is too long")
AUTH_CANCELLED = Reply.of(501, "5.7.0", "Authentication cancelled")
ENCRYPTION_NEEDED = Reply.of(538, "5.7.11", "Encryption is needed: use STARTTLS first")
