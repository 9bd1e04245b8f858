"""The shortest story: a message comes in and is read, with nothing but the standard library."""

import imaplib
import smtplib
from pathlib import Path

import pytest

from tests.scenarios.server import running_server, trusting_context

pytestmark = pytest.mark.scenario
PASSWORD = "kuvo-tase-rimi"


def test_a_message_is_submitted_over_tls_and_read_over_tls(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as client:
            client.starttls(context=trusting_context())
            client.login("ann@example.test", PASSWORD)
            client.sendmail(
                "ann@example.test", ["bob@example.test"], b"From: ann@example.test\r\n\r\nHi Bob\r\n"
            )
        with imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=trusting_context()) as reader:
            reader.login("bob@example.test", PASSWORD)
            assert reader.select() == ("OK", [b"1"])
            _, parts = reader.fetch("1", "(BODY[])")
            assert isinstance(parts[0], tuple)
            assert parts[0][1].endswith(b"\r\n\r\nHi Bob\r\n")
        trace = server.run_json("message", "trace", "bob@example.test")
        assert [line["state"] for line in trace] == ["delivered"]
