"""Quotas and Trash on a real server, as imaplib, IMAPClient and smtplib meet them."""

import smtplib
from collections.abc import Iterator

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped] # it has no types
from imapclient.exceptions import IMAPClientError  # type: ignore[import-untyped] # it has no types

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    RUN_SECONDS,
    deliver,
    empty,
    message,
    open_imap,
    read_all,
    subjects,
    wait_until,
)
from tests.scenarios.server import Server, running_server, trusting_context

pytestmark = pytest.mark.scenario

KIB = 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on which Bob may hold 100 KiB."""
    with running_server(tmp_path_factory.mktemp("server"), workers=1) as started:
        started.run("mailbox", "quota", BOB, "100KiB")
        yield started


def empty_all(server: Server) -> None:
    """Remove all that Bob has, for good."""
    server.run("mailbox", "trash", BOB, "off")
    for folder in ("INBOX", "Trash"):
        empty(server, folder=folder)


def test_imaplib_reads_the_quota_and_cannot_set_it(server: Server) -> None:
    empty_all(server)
    with open_imap(server) as client:
        client.append("INBOX", "", "", message("large", "x" * 40 * KIB))
        assert client.getquotaroot("INBOX") == (
            "OK",
            [[b'INBOX "User quota"'], [b'"User quota" (STORAGE 41 100)']],
        )
        assert client.getquota('"User quota"') == ("OK", [b'"User quota" (STORAGE 41 100)'])
        status, said = client.setquota('"User quota"', "(STORAGE 500)")
        assert (status, said) == ("NO", [b"[NOPERM] quotas are set by the administrator"])
        status, said = client.append("INBOX", "", "", message("too much", "x" * 70 * KIB))
        assert (status, said) == ("NO", [b"[OVERQUOTA] mailbox is full"])


def test_imapclient_reads_the_quota_and_cannot_set_it(server: Server) -> None:
    empty_all(server)
    client = IMAPClient("127.0.0.1", server.ports["imaps"], ssl_context=trusting_context(), timeout=20)
    with client:
        client.login(BOB, PASSWORD)
        root, quotas = client.get_quota_root("INBOX")
        assert root.quota_roots == ["User quota"]
        assert [(each.quota_root, each.resource, each.usage, each.limit) for each in quotas] == [
            ("User quota", "STORAGE", 0, 100)
        ]
        [quota] = client.get_quota("INBOX")
        assert quota.limit == 100
        with pytest.raises(IMAPClientError, match="NOPERM"):
            client.set_quota([quota])
    with IMAPClient(
        "127.0.0.1", server.ports["imaps"], ssl_context=trusting_context(), timeout=20
    ) as unlimited:
        unlimited.login(ANN, PASSWORD)
        assert unlimited.get_quota("INBOX") == []


def test_smtplib_is_told_why_mail_does_not_fit(server: Server) -> None:
    empty_all(server)
    deliver(server, message("first", "x" * 60 * KIB))
    for octets, code in ((50, 452), (101, 552)):
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=RUN_SECONDS) as client:
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                client.sendmail(ANN, [BOB], message("more", "x" * octets * KIB))
            assert refused.value.recipients[BOB][0] == code


def test_what_is_expunged_is_found_in_trash(server: Server) -> None:
    empty_all(server)
    server.run("mailbox", "trash", BOB, "on")
    deliver(server, message("kept"), message("thrown away"))
    with open_imap(server) as client:
        client.select()
        client.store("2", "+FLAGS", r"\Deleted")
        assert client.expunge() == ("OK", [b"2"])
    assert subjects(read_all(server)) == ["kept"]
    assert subjects(read_all(server, folder="Trash")) == ["thrown away"]


def test_a_warning_comes_at_the_next_start_and_only_once(server: Server) -> None:
    empty_all(server)
    deliver(server, message("large", "x" * 85 * KIB))
    wanted = ["large", "Your mailbox is 85 % full"]
    for _ in range(2):
        server.kill()
        server.start()
        wait_until(lambda: subjects(read_all(server)) == wanted, "the warning")
