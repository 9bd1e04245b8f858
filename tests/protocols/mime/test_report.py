"""Delivery reports, as other programs read them."""

import email
import email.message
import email.policy

import pytest

from freehold.protocols.mime.report import Action, DeliveryReport, RecipientReport, delivery_report
from freehold.protocols.mime.structure import scan

ORIGINAL = b"From: ann@example.org\r\nSubject: hello\r\n\r\nbody\r\n.\r\n"
FAILED = RecipientReport(
    final_recipient="bob@example.net",
    action=Action.FAILED,
    status="5.1.1",
    original_recipient="rfc822;robert@example.net",
    remote_mta="mx.example.net",
    diagnostic="550 5.1.1 No such user",
    last_attempt_ms=0,
    will_retry_until_ms=1000,
)
DELAYED = RecipientReport("eve@example.net", Action.DELAYED, "4.4.1", will_retry_until_ms=86_400_000)


def report(
    *recipients: RecipientReport, original: bytes = ORIGINAL, headers_only: bool = False
) -> DeliveryReport:
    return DeliveryReport(
        hostname="mx.example.org",
        sender="ann@example.org",
        utc_ms=0,
        message_id="1@mx.example.org",
        boundary="=_b",
        recipients=recipients,
        original=original,
        headers_only=headers_only,
        arrival_ms=0,
        envelope_id="QQ314159",
    )


def parts_of(message: bytes) -> list[email.message.Message]:
    parsed = email.message_from_bytes(message)
    assert not parsed.defects
    payload = parsed.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, email.message.Message)]


def test_bounce_has_the_header_that_stops_replies_and_loops() -> None:
    message = email.message_from_bytes(delivery_report(report(FAILED)), policy=email.policy.default)
    assert message["From"] == "Mail Delivery System <MAILER-DAEMON@mx.example.org>"
    assert message["To"] == "ann@example.org"
    assert message["Subject"] == "Your message could not be delivered"
    assert message["Date"] == "Thu, 01 Jan 1970 00:00:00 +0000"
    assert message["Message-ID"] == "<1@mx.example.org>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"


def test_bounce_has_text_status_and_the_original() -> None:
    text, status, original = parts_of(delivery_report(report(FAILED)))
    assert text.get_content_type() == "text/plain"
    assert b"mx.example.net said: 550 5.1.1 No such user" in text.get_payload(decode=True)
    assert status.get_content_type() == "message/delivery-status"
    blocks = [dict(block.items()) for block in status.walk() if block is not status]
    assert blocks == [
        {
            "Original-Envelope-Id": "QQ314159",
            "Reporting-MTA": "dns; mx.example.org",
            "Arrival-Date": "Thu, 1 Jan 1970 00:00:00 +0000",
        },
        {
            "Original-Recipient": "rfc822;robert@example.net",
            "Final-Recipient": "rfc822; bob@example.net",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mx.example.net",
            "Diagnostic-Code": "smtp; 550 5.1.1 No such user",
            "Last-Attempt-Date": "Thu, 1 Jan 1970 00:00:00 +0000",
        },
    ]
    assert original.get_content_type() == "message/rfc822"


def test_original_keeps_its_exact_octets() -> None:
    message = delivery_report(report(FAILED))
    original = scan(message).children[2]
    assert message[original.body_start : original.body_end] == ORIGINAL


def test_delay_warning_says_until_when_it_is_tried() -> None:
    message = delivery_report(report(DELAYED))
    assert b"Subject: Your message is delayed\r\n" in message
    assert b"Action: delayed\r\n" in message
    assert b"Will-Retry-Until: Fri, 2 Jan 1970 00:00:00 +0000\r\n" in message


def test_header_alone_is_returned_on_request() -> None:
    message = delivery_report(report(FAILED, headers_only=True))
    original = scan(message).children[2]
    assert (original.type, original.subtype) == (b"text", b"rfc822-headers")
    assert message[original.body_start : original.body_end] == (
        b"From: ann@example.org\r\nSubject: hello\r\n\r\n"
    )


def test_every_recipient_has_its_block() -> None:
    message = delivery_report(report(FAILED, DELAYED))
    assert message.count(b"\r\nFinal-Recipient:") == 2
    assert b"5.1.1\r\n" in message
    assert b"4.4.1\r\n" in message


def test_international_addresses_make_an_international_report() -> None:
    recipient = RecipientReport("jörg@exämple.net", Action.FAILED, "5.1.1")
    original = "Subject: Grüße\r\n\r\nx".encode()
    message = delivery_report(report(recipient, original=original))
    _, status, returned = scan(message).children
    assert (status.subtype, status.encoding) == (b"global-delivery-status", b"8bit")
    assert (returned.subtype, returned.encoding) == (b"global", b"8bit")
    assert "Final-Recipient: utf-8; jörg@exämple.net\r\n".encode() in message


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x1e"])
def test_reply_of_a_peer_cannot_add_fields(ending: str) -> None:
    evil = f"550 no{ending}Action: delivered{ending}{ending}--=_b--{ending}"
    hostile = RecipientReport(
        f"a@b{ending}Action: delivered",
        Action.FAILED,
        f"5.0.0{ending}Action: delivered",
        original_recipient=f"rfc822;x{ending}Action: delivered",
        remote_mta=f"mx{ending}Action: delivered",
        diagnostic=evil,
    )
    message = delivery_report(report(hostile))
    lines = message.decode().splitlines()
    assert [line for line in lines if line.startswith("Action:")] == ["Action: failed"]
    assert len(scan(message).children) == 3


def test_long_replies_stay_within_the_length_of_a_line() -> None:
    hostile = RecipientReport("a@b", Action.FAILED, "5.0.0", diagnostic="x" * 50_000 + " é" * 50_000)
    message = delivery_report(report(hostile))
    assert max(len(line) for line in message.split(b"\r\n")) < 998


def test_boundary_that_the_original_contains_is_not_used() -> None:
    original = b"Subject: x\r\n\r\n--=_b\r\n--=_b--\r\n--=_b=1\r\n"
    message = delivery_report(report(FAILED, original=original))
    children = scan(message).children
    assert len(children) == 3
    assert message[children[2].body_start : children[2].body_end] == original
