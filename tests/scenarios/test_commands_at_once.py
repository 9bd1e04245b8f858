"""Commands take effect at once on the running server, also on connections that are already open."""

import imaplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.scenarios.clients import ANN, BOB, PASSWORD, message, open_imap, read_all, subjects
from tests.scenarios.server import Server, running_server, trusting_context

pytestmark = pytest.mark.scenario

WRONG_PASSWORD = 535
NEW_PASSWORD = "bodu-fela-nito"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        yield started


@contextmanager
def submitter(server: Server) -> Iterator[smtplib.SMTP]:
    """Connect to submit mail."""
    with smtplib.SMTP_SSL(
        "127.0.0.1", server.ports["submissions"], context=trusting_context(), timeout=60
    ) as client:
        yield client


def may_read(server: Server, login: str, password: str) -> bool:
    """Return whether a login over IMAP succeeds."""
    try:
        open_imap(server, login, password).logout()
    except imaplib.IMAP4.error as error:
        if "AUTHENTICATIONFAILED" not in str(error):
            raise
        return False
    return True


def may_submit(server: Server, login: str, password: str) -> bool:
    """Return whether a login for submission succeeds."""
    with submitter(server) as client:
        try:
            client.login(login, password)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code != WRONG_PASSWORD:
                raise
            return False
    return True


def test_a_new_mailbox_gets_mail_at_once_on_a_connection_that_was_open(server: Server) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail(ANN)
        assert client.rcpt("new@example.test")[0] == 550
        server.run("mailbox", "add", "new@example.test", "--password-stdin", stdin=f"{PASSWORD}\n")
        assert client.rcpt("new@example.test")[0] == 250
        assert client.data(message("welcome"))[0] == 250
    assert subjects(read_all(server, "new@example.test")) == ["welcome"]
    server.run("mailbox", "remove", "new@example.test", "--yes")
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail(ANN)
        assert client.rcpt("new@example.test")[0] == 550
    assert not may_read(server, "new@example.test", PASSWORD)


def test_a_disabled_domain_takes_no_mail_until_it_is_enabled(server: Server) -> None:
    server.run("domain", "add", "other.test")
    server.run("alias", "add", "@other.test", BOB)
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail(ANN)
        assert client.rcpt("anybody@other.test")[0] == 250
        server.run("domain", "disable", "other.test")
        assert 400 <= client.rcpt("anybody@other.test")[0] < 600
        server.run("domain", "enable", "other.test")
        assert client.rcpt("anybody@other.test")[0] == 250


def test_a_new_password_replaces_the_old_one_at_once(server: Server) -> None:
    login = "changing@example.test"
    server.run("mailbox", "add", login, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert may_read(server, login, PASSWORD)
    assert may_submit(server, login, PASSWORD)
    server.run("mailbox", "passwd", login, "--password-stdin", stdin=f"{NEW_PASSWORD}\n")
    assert not may_read(server, login, PASSWORD)
    assert not may_submit(server, login, PASSWORD)
    assert may_read(server, login, NEW_PASSWORD)
    assert may_submit(server, login, NEW_PASSWORD)


def test_an_app_password_works_for_its_use_only_until_it_is_revoked(server: Server) -> None:
    made = server.run_json("app-password", "add", BOB, "--label", "Phone", "--use", "imap")
    assert may_read(server, BOB, made["password"])
    assert not may_submit(server, BOB, made["password"])
    server.run("app-password", "revoke", BOB, str(made["number"]), "--yes")
    assert not may_read(server, BOB, made["password"])
    assert may_read(server, BOB, PASSWORD)


def test_an_alias_is_in_force_at_once_and_gone_at_once(server: Server) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
        client.ehlo()
        client.mail(ANN)
        assert client.rcpt("info@example.test")[0] == 550
        server.run("alias", "add", "info@example.test", BOB)
        assert client.rcpt("info@example.test")[0] == 250
        server.run("alias", "remove", "info@example.test", "--yes")
        assert client.rcpt("info@example.test")[0] == 550
