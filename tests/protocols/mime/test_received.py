"""The Received field."""

import pytest

from freehold.protocols.mime.date import parse_date
from freehold.protocols.mime.received import Hop, TransferProtocol, received_header, transfer_protocol


def hop(**changes: str | None) -> Hop:
    values: dict[str, str | None] = {
        "helo": "mail.example.org",
        "address": "192.0.2.1",
        "hostname": "mx.example.net",
        "queue_id": "q1",
        "reverse_name": "out.example.org",
        "recipient": "bob@example.net",
        "tls": None,
        **changes,
    }
    return Hop(
        helo=values["helo"] or "",
        address=values["address"] or "",
        hostname=values["hostname"] or "",
        protocol=TransferProtocol.ESMTPS,
        queue_id=values["queue_id"] or "",
        utc_ms=1_171_494_123_000,
        reverse_name=values["reverse_name"],
        recipient=values["recipient"],
        tls=values["tls"],
    )


def test_field_names_peer_server_protocol_recipient_and_date() -> None:
    assert received_header(hop()) == (
        b"Received: from mail.example.org (out.example.org [192.0.2.1])\r\n"
        b"\tby mx.example.net with ESMTPS id q1\r\n"
        b"\tfor <bob@example.net>; Wed, 14 Feb 2007 23:02:03 +0000\r\n"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert received_header(hop(reverse_name=None, recipient=None, address="2001:db8::1")) == (
        b"Received: from mail.example.org ([IPv6:2001:db8::1])\r\n"
        b"\tby mx.example.net with ESMTPS id q1;\r\n"
        b"\tWed, 14 Feb 2007 23:02:03 +0000\r\n"
    )


def test_encryption_is_a_comment() -> None:
    header = received_header(hop(tls="TLSv1.3 TLS_AES_256_GCM_SHA384"))
    assert b" with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id q1\r\n" in header


def test_address_literal_of_a_helo_stays() -> None:
    assert b"from [IPv6:2001:db8::1] (" in received_header(hop(helo="[IPv6:2001:db8::1]"))


@pytest.mark.parametrize("evil", ["x\r\nBcc: y", "x (y) by z; date", "\u2028\x00\x85", "é" * 2000, ""])
@pytest.mark.parametrize("place", ["helo", "reverse_name", "recipient", "tls", "queue_id"])
def test_peer_writes_no_line_comment_or_clause(evil: str, place: str) -> None:
    header = received_header(hop(**{place: evil})).decode()
    assert header.endswith("\r\n")
    assert len(header.splitlines()) == 3
    assert header.count(";") == 1
    assert header.count("(") == header.count(")") <= 2
    assert all(len(line.encode()) < 998 for line in header.splitlines())
    assert parse_date(header.partition(";")[2].encode()) == 1_171_494_123_000


@pytest.mark.parametrize(
    ("lmtp", "tls", "authenticated", "utf8", "keyword"),
    [
        (False, False, False, False, "ESMTP"),
        (False, True, True, False, "ESMTPSA"),
        (True, True, False, False, "LMTPS"),
        (False, False, True, True, "UTF8SMTPA"),
        (True, True, True, True, "UTF8LMTPSA"),
    ],
)
def test_protocol_keyword_says_how_a_message_came(
    lmtp: bool, tls: bool, authenticated: bool, utf8: bool, keyword: str
) -> None:
    assert transfer_protocol(lmtp=lmtp, tls=tls, authenticated=authenticated, utf8=utf8) == keyword
