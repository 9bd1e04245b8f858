"""Messages that tell a sender what became of a message.

Owns RFC 3464 (delivery status), in the multipart/report of RFC 6522, with the international forms of
RFC 6533. Time, message id and boundary come from the caller, so that the same values give the same
octets.
"""

import textwrap
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from freehold.protocols.mime.compose import (
    FOLD_COLUMNS,
    body_part,
    field,
    free_boundary,
    multipart,
    one_line,
    text_field,
    transfer_encoding,
)
from freehold.protocols.mime.date import date_header
from freehold.protocols.mime.structure import header_end


class Action(StrEnum):
    """What happened for a recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


class RecipientReport(msgspec.Struct, frozen=True):
    """What became of the message for one recipient (RFC 3464 §2.3).

    `status` is an enhanced code such as 5.1.1; `original_recipient` is typed as ORCPT gives it
    (`rfc822;a@b`), already decoded; `diagnostic` is the remote server's reply.
    """

    final_recipient: str
    action: Action
    status: str
    original_recipient: str | None = None
    remote_mta: str | None = None
    diagnostic: str | None = None
    last_attempt_ms: int | None = None
    will_retry_until_ms: int | None = None


class DeliveryReport(msgspec.Struct, frozen=True):
    """Everything that a delivery report says.

    `original` is the message reported on; with `headers_only` (RET=HDRS) only its header is
    returned. `envelope_id` is ENVID, decoded. `message_id` has no brackets.
    """

    hostname: str
    sender: str
    utc_ms: int
    message_id: str
    boundary: str
    recipients: tuple[RecipientReport, ...]
    original: bytes
    headers_only: bool = False
    arrival_ms: int | None = None
    envelope_id: str | None = None


class _Wording(msgspec.Struct, frozen=True):
    subject: str
    opening: str


_WORDINGS = {
    Action.FAILED: _Wording(
        "Your message could not be delivered",
        "Your message could not be delivered to the recipients below. It will not be tried again.",
    ),
    Action.DELAYED: _Wording(
        "Your message is delayed",
        "Your message has not been delivered to the recipients below yet. You need not send it again: "
        "this server keeps trying, and tells you if it gives up.",
    ),
    Action.DELIVERED: _Wording(
        "Your message was delivered", "Your message was delivered to the recipients below."
    ),
    Action.RELAYED: _Wording(
        "Your message was passed on",
        "Your message was passed on to servers that will not report what becomes of it.",
    ),
    Action.EXPANDED: _Wording(
        "Your message was delivered to a list", "Your message was delivered to the lists below."
    ),
}


def delivery_report(report: DeliveryReport) -> bytes:
    """Return the whole message that tells `report.sender` of the delivery (RFC 3464 §2).

    The action of the first recipient sets the subject. Send it with an empty reverse path.
    """
    parts = [_human_part(report), _status_part(report), _original_part(report)]
    boundary = free_boundary(report.boundary, parts)
    action = report.recipients[0].action if report.recipients else Action.FAILED
    header = [
        field("From", f"Mail Delivery System <MAILER-DAEMON@{_word(report.hostname)}>"),
        field("To", f"<{_address(report.sender)}>"),
        text_field("Subject", _WORDINGS[action].subject),
        field("Date", date_header(report.utc_ms)),
        field("Message-ID", f"<{_word(report.message_id)}>"),
        field("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
        field("MIME-Version", "1.0"),
        field("Content-Type", f'multipart/report; report-type=delivery-status; boundary="{boundary}"'),
    ]
    return b"".join(header) + b"\r\n" + multipart(boundary, parts)


def _human_part(report: DeliveryReport) -> bytes:
    lines = [f"This is the mail system at {_word(report.hostname)}.", ""]
    for action, wording in _WORDINGS.items():
        recipients = [recipient for recipient in report.recipients if recipient.action is action]
        if recipients:
            lines += [*textwrap.wrap(wording.opening, FOLD_COLUMNS), ""]
            for recipient in recipients:
                lines += [*_explanation(recipient), ""]
    lines.append(f"The {'header of your' if report.headers_only else 'original'} message is attached.")
    body = "\r\n".join(lines).encode() + b"\r\n"
    return body_part(
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", transfer_encoding(body)),
        ],
        body,
    )


def _explanation(recipient: RecipientReport) -> list[str]:
    """Return the lines that tell a person about one recipient."""
    lines = [f"<{_address(recipient.final_recipient)}>"]
    said = one_line(recipient.diagnostic or "")
    if said:
        by = f"{_word(recipient.remote_mta)} said: " if recipient.remote_mta else ""
        lines += textwrap.wrap(f"{by}{said}", FOLD_COLUMNS, initial_indent="    ", subsequent_indent="    ")
    else:
        lines.append(f"    status {_word(recipient.status)}")
    if recipient.will_retry_until_ms is not None:
        lines.append(f"    It is tried until {date_header(recipient.will_retry_until_ms)}.")
    return lines


def _status_part(report: DeliveryReport) -> bytes:
    blocks = [_message_fields(report)]
    blocks += [_recipient_fields(recipient) for recipient in report.recipients]
    body = b"\r\n".join(blocks)
    if body.isascii():
        return body_part([("Content-Type", "message/delivery-status")], body)
    return body_part(
        [
            ("Content-Type", "message/global-delivery-status"),
            ("Content-Transfer-Encoding", "8bit"),
        ],
        body,
    )


def _message_fields(report: DeliveryReport) -> bytes:
    """Return the per-message fields (RFC 3464 §2.2)."""
    arrival = report.arrival_ms
    return _present(
        [
            ("Original-Envelope-Id", report.envelope_id),
            ("Reporting-MTA", f"dns; {_word(report.hostname)}"),
            ("Arrival-Date", None if arrival is None else date_header(arrival)),
        ]
    )


def _recipient_fields(recipient: RecipientReport) -> bytes:
    """Return the fields of one recipient (RFC 3464 §2.3)."""
    final = _address(recipient.final_recipient)
    remote = recipient.remote_mta
    last, until = recipient.last_attempt_ms, recipient.will_retry_until_ms
    if recipient.action is not Action.DELAYED:
        until = None  # RFC 3464 §2.3.9: for delayed only
    return _present(
        [
            ("Original-Recipient", recipient.original_recipient),
            ("Final-Recipient", f"{'rfc822' if final.isascii() else 'utf-8'}; {final}"),
            ("Action", recipient.action.value),
            ("Status", _word(recipient.status)),
            ("Remote-MTA", f"dns; {_word(remote)}" if remote else None),
            ("Diagnostic-Code", f"smtp; {recipient.diagnostic}" if recipient.diagnostic else None),
            ("Last-Attempt-Date", None if last is None else date_header(last)),
            ("Will-Retry-Until", None if until is None else date_header(until)),
        ]
    )


def _present(fields: Sequence[tuple[str, str | None]]) -> bytes:
    return b"".join([field(name, value) for name, value in fields if value is not None])


def _original_part(report: DeliveryReport) -> bytes:
    """Return the message reported on, or its header (RFC 6522 §4; RFC 6533 §4, §5)."""
    original = report.original
    header = original[: header_end(original, 0, len(original))]
    content = header if report.headers_only else original
    if report.headers_only:
        kind = "text/rfc822-headers" if header.isascii() else "message/global-headers"
    else:
        kind = "message/rfc822" if header.isascii() else "message/global"
    return body_part(
        [("Content-Type", kind), ("Content-Transfer-Encoding", transfer_encoding(content))], content
    )


def _address(text: str) -> str:
    """Return an address that stays inside its angle brackets; a quoted local part keeps its spaces."""
    return one_line(text).replace("<", "?").replace(">", "?")


def _word(text: str) -> str:
    """Return text that holds no space, bracket or control, so that it stays one word."""
    return "".join(_address(text).split())
