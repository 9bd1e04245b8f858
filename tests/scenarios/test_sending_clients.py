"""Programs that send mail: what swaks, msmtp and curl hand over arrives as it was sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    below_trace,
    certificate_of,
    message,
    need,
    only_with_subject,
    run_program,
    run_unchecked,
    write_private,
)
from tests.scenarios.server import Server, running_server

pytestmark = pytest.mark.scenario

SWAKS_AUTH_FAILED = 28
LOGIN = ("--auth-user", ANN, "--auth-password", PASSWORD)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        yield started


def swaks(server: Server, listener: str, subject: str, *arguments: str) -> bytes:
    """Send a message from Ann to Bob with swaks."""
    need("swaks")
    place = server.folder / "swaks.eml"
    place.write_bytes(message(subject).removesuffix(b"\r\n"))  # swaks ends the last line itself
    return run_program(
        "swaks",
        *("--server", "127.0.0.1", "--port", str(server.ports[listener])),
        *("--from", ANN, "--to", BOB, "--helo", "client.example.test"),
        *("--data", f"@{place}"),
        *arguments,
    )


def received_with(content: bytes) -> bytes:
    """Return the protocol that the topmost Received line names."""
    trace = content[: content.index(b"\r\nFrom: ")].split()
    return trace[trace.index(b"with") + 1]


@pytest.mark.parametrize(
    ("listener", "arguments", "protocol"),
    [
        ("smtp", (), b"ESMTP"),
        ("smtp", ("--tls",), b"ESMTPS"),
        ("submission", ("--tls", "--auth", "PLAIN", *LOGIN), b"ESMTPSA"),
        ("submission", ("--tls", "--auth", "LOGIN", *LOGIN), b"ESMTPSA"),
        ("submissions", ("--tls-on-connect", "--auth", "PLAIN", *LOGIN), b"ESMTPSA"),
        ("lmtp", ("--protocol", "LMTP"), b"LMTP"),
    ],
)
def test_swaks_delivers_a_message_unchanged(
    server: Server, listener: str, arguments: tuple[str, ...], protocol: bytes
) -> None:
    subject = f"swaks {listener} {protocol.decode()} {'LOGIN' in arguments}"
    swaks(server, listener, subject, *arguments)
    arrived = only_with_subject(server, subject)
    assert received_with(arrived) == protocol
    assert below_trace(arrived) == message(subject)


def test_swaks_is_refused_a_wrong_password(server: Server) -> None:
    need("swaks")
    base = ["swaks", "--server", "127.0.0.1", "--from", ANN, "--to", BOB, "--quit-after", "AUTH"]
    base += ["--port", str(server.ports["submission"]), "--auth-user", ANN]
    wrong = run_unchecked(*base, "--tls", "--auth", "PLAIN", "--auth-password", "wrong-password")
    assert wrong.returncode == SWAKS_AUTH_FAILED
    assert b"535 5.7.8" in wrong.stdout


@pytest.mark.parametrize("mechanism", ["plain", "login", "scram-sha-256"])
@pytest.mark.parametrize("starttls", ["on", "off"])
def test_msmtp_submits_over_checked_tls(
    server: Server, tmp_path: Path, mechanism: str, starttls: str
) -> None:
    need("msmtp")
    subject = f"msmtp {mechanism} {starttls}"
    listener = "submission" if starttls == "on" else "submissions"
    settings = write_private(
        tmp_path / "msmtprc",
        "account default",
        "host 127.0.0.1",
        f"port {server.ports[listener]}",
        f"from {ANN}",
        f"auth {mechanism}",
        f"user {ANN}",
        f"password {PASSWORD}",
        "tls on",
        f"tls_starttls {starttls}",
        f"tls_trust_file {certificate_of(server)}",
        f"tls_host_override {server.hostname}",
    )
    run_program("msmtp", "-C", str(settings), BOB, stdin=message(subject).replace(b"\r\n", b"\n"))
    arrived = only_with_subject(server, subject)
    assert below_trace(arrived) == message(subject)


@pytest.mark.parametrize(("scheme", "listener"), [("smtp", "submission"), ("smtps", "submissions")])
def test_curl_submits_several_messages(server: Server, tmp_path: Path, scheme: str, listener: str) -> None:
    need("curl")
    for number in (1, 2):
        subject = f"curl {scheme} {number}"
        content = tmp_path / "message.eml"
        content.write_bytes(message(subject, "A line\r\n.\r\n..with dots\r\n.end"))
        run_program(
            *("curl", "--silent", "--show-error", "--insecure", "--ssl-reqd"),
            *("--url", f"{scheme}://127.0.0.1:{server.ports[listener]}/client.example.test"),
            *("--user", f"{ANN}:{PASSWORD}", "--mail-from", ANN, "--mail-rcpt", BOB),
            *("--upload-file", str(content)),
        )
        assert below_trace(only_with_subject(server, subject)) == content.read_bytes()


def test_openssl_s_client_sees_the_starttls_of_both_protocols(server: Server) -> None:
    need("openssl")
    for protocol, listener in (("smtp", "smtp"), ("smtp", "submission"), ("imap", "imap")):
        said = run_program(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{server.ports[listener]}"),
            *("-starttls", protocol, "-CAfile", str(certificate_of(server)), "-verify_return_error"),
            *("-verify_hostname", server.hostname),
        )
        assert b"Verify return code: 0 (ok)" in said
