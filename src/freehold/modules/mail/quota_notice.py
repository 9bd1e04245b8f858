"""What somebody reads whose mailbox, or whose storage in all, is filling up."""

import secrets
import textwrap
from dataclasses import dataclass

from freehold.kernel.quantities import format_bytes
from freehold.modules.mail.folders.quota import WARNING_PERCENTS, Use
from freehold.protocols.mime.compose import FOLD_COLUMNS, field, one_line, text_field, transfer_encoding
from freehold.protocols.mime.date import date_header


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to be written.

    `address` is whom it is for, `hostname` who sends it. `owner` is the name of the owner whose mailboxes
    together are meant, None for the mailbox of the address alone.
    """

    address: str
    hostname: str
    use: Use
    owner: str | None
    now_ms: int


def write_notice(notice: Notice) -> bytes:
    """Return the whole message; send it with an empty reverse path. No program answers it (RFC 3834 §5)."""
    domain = notice.address.rpartition("@")[2]
    body = _body(notice)
    header = [
        field("From", f"Postmaster <postmaster@{domain}>"),
        field("To", f"<{one_line(notice.address)}>"),
        text_field("Subject", _subject(notice)),
        field("Date", date_header(notice.now_ms)),
        field("Message-ID", f"<{secrets.token_hex(12)}@{notice.hostname}>"),
        field("Auto-Submitted", "auto-generated"),
        field("MIME-Version", "1.0"),
        field("Content-Type", "text/plain; charset=utf-8"),
        field("Content-Transfer-Encoding", transfer_encoding(body)),
    ]
    return b"".join(header) + b"\r\n" + body


def _subject(notice: Notice) -> str:
    what = "Your mailbox is" if notice.owner is None else f"The storage of {notice.owner} is"
    return f"{what} {notice.use.percent} % full"


def _body(notice: Notice) -> bytes:
    paragraphs = ["Hello,", _facts(notice), _outlook(notice), _advice(notice), _reminder(notice.use)]
    lines = [line for each in paragraphs for line in (*textwrap.wrap(each, FOLD_COLUMNS), "")]
    lines.append("Your postmaster")
    return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n"


def _facts(notice: Notice) -> str:
    use = notice.use
    holds = f"{format_bytes(use.used_bytes)} of {format_bytes(use.limit_bytes or 0)} ({use.percent} %)"
    if notice.owner is None:
        return f"your mailbox {one_line(notice.address)} now uses {holds}."
    return f"the mailboxes of {one_line(notice.owner)} together now use {holds}."


def _outlook(notice: Notice) -> str:
    arrives = "Nothing is lost, and new mail still arrives."
    if notice.use.limit_bytes is not None and notice.use.used_bytes >= notice.use.limit_bytes:
        arrives = "Nothing is lost, but new mail can no longer be taken."
    what, whom = ("mailbox", "you") if notice.owner is None else ("storage", "these mailboxes")
    return f"{arrives} While the {what} is full, those who write to {whom} are asked to try again later."


def _advice(notice: Notice) -> str:
    advice = "To make room, delete what is no longer needed and empty Trash and Junk, which count as well."
    more = "more room for your mailbox" if notice.owner is None else "more storage"
    return f"{advice} Or ask whoever looks after this server for {more}."


def _reminder(use: Use) -> str:
    last = WARNING_PERCENTS[-1]
    if use.warning_percent < last:
        return f"You will hear of this once more when {last} % are used."
    return "You will not hear of this again unless there was more room in between."
