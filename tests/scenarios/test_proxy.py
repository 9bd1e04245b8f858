"""HAProxy in front: the server sees the client's own address, by PROXY protocol v1 and v2."""

import imaplib
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    find_program,
    message,
    need,
    wait_until,
    write_private,
)
from tests.scenarios.server import Server, free_port, running_server, trusting_context

pytestmark = pytest.mark.scenario

CLIENT = "127.0.0.2"
PROXIED = 'proxy_networks = ["127.0.0.0/8"]'
LISTENERS = ("smtp", "submission", "submissions", "imap", "imaps")
VERSIONS = {"send-proxy": "v1", "send-proxy-v2": "v2"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose smtp, submissions and imaps listeners stand behind proxies only."""
    place = tmp_path_factory.mktemp("server")
    with running_server(place, listen_extra=dict.fromkeys(LISTENERS, PROXIED)) as started:
        yield started


@contextmanager
def running_proxy(server: Server, folder: Path, directive: str) -> Iterator[dict[str, int]]:
    """Run HAProxy before the listeners; gives its ports by listener."""
    need("haproxy")
    ports = {name: free_port() for name in LISTENERS}
    lines = ["global", "  maxconn 50", "defaults", "  mode tcp"]
    lines += ["  timeout connect 10s", "  timeout client 60s", "  timeout server 60s"]
    for name, port in ports.items():
        lines += [f"listen {name}", f"  bind 127.0.0.1:{port}"]
        lines += [f"  server freehold 127.0.0.1:{server.ports[name]} {directive}"]
    settings = write_private(folder / "haproxy.cfg", *lines)
    program = find_program("haproxy")
    assert program is not None
    with subprocess.Popen(
        [program, "-f", str(settings), "-db"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as proxy:
        try:
            wait_until(lambda: all(map(is_open, ports.values())), "HAProxy's ports")
            yield ports
        finally:
            proxy.terminate()


def is_open(port: int) -> bool:
    """Return whether something takes connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("directive", VERSIONS)
def test_the_client_behind_a_proxy_is_known_by_its_own_address(
    server: Server, tmp_path: Path, directive: str
) -> None:
    version = VERSIONS[directive]
    with running_proxy(server, tmp_path, directive) as ports:
        context = trusting_context()
        with smtplib.SMTP(
            "127.0.0.1", ports["smtp"], source_address=(CLIENT, 0), local_hostname="client.test", timeout=60
        ) as client:
            client.sendmail(ANN, [BOB], message(f"proxied {version}"))
        with smtplib.SMTP("127.0.0.1", ports["smtp"], source_address=(CLIENT, 0), timeout=60) as client:
            client.starttls(context=context)
            client.sendmail(ANN, [BOB], message(f"encrypted {version}"))
        with smtplib.SMTP_SSL(
            "127.0.0.1", ports["submissions"], source_address=(CLIENT, 0), context=context, timeout=60
        ) as client:
            client.login(ANN, PASSWORD)
            client.sendmail(ANN, [BOB], message(f"submitted {version}"))
        with imaplib.IMAP4_SSL("127.0.0.1", ports["imaps"], ssl_context=context, timeout=60) as reader:
            reader.login(BOB, PASSWORD)
            contents = {
                word: fetch_by_subject(reader, f"{word} {version}")
                for word in ("proxied", "encrypted", "submitted")
            }
    assert b"[127.0.0.2]" in trace_of(contents["proxied"])
    assert b"[127.0.0.2]" in trace_of(contents["encrypted"])
    assert b"with ESMTPS" in trace_of(contents["encrypted"])
    assert b"with ESMTPSA" in trace_of(contents["submitted"])
    assert '"client":"127.0.0.2"' in server.log.read_text()


def fetch_by_subject(reader: imaplib.IMAP4, subject: str) -> bytes:
    """Return the one message in INBOX with this subject."""
    reader.select(readonly=True)
    _, (numbers,) = reader.search(None, "SUBJECT", f'"{subject}"')
    _, parts = reader.fetch(numbers.decode(), "(BODY.PEEK[])")
    assert isinstance(parts[0], tuple)
    return parts[0][1]


def trace_of(content: bytes) -> bytes:
    """Return the lines that the server put on top."""
    return content[: content.index(b"\r\nFrom: ")]


def test_a_client_without_a_proxy_is_turned_away(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.ports["smtp"]), timeout=60) as client:
        client.sendall(b"EHLO client.test\r\n")
        with suppress(ConnectionResetError):
            assert client.recv(1000) == b""


@contextmanager
def from_far_away(server: Server, listener: str) -> Iterator[Callable[[bytes], bytes]]:
    """Connect as 192.0.2.7; gives a function that sends a line and returns the whole reply."""
    with socket.create_connection(("127.0.0.1", server.ports[listener]), timeout=60) as client:
        stream = client.makefile("rwb")

        def say(line: bytes) -> bytes:
            stream.write(line + b"\r\n")
            stream.flush()
            said = stream.readline()
            while said.splitlines()[-1][3:4] == b"-" or said.splitlines()[-1].startswith(b"* "):
                said += stream.readline()
            return said

        stream.write(b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 25\r\n")
        stream.flush()
        assert stream.readline().startswith((b"220 ", b"* OK "))
        yield say


def test_a_remote_client_logs_in_only_over_tls(server: Server) -> None:
    with from_far_away(server, "submission") as say:
        offered = say(b"EHLO client.test")
        assert b"STARTTLS\r\n" in offered
        assert b"PLAIN" not in offered
        assert say(b"AUTH PLAIN AGFubkBleGFtcGxlLnRlc3QAa3V2by10YXNlLXJpbWk=").startswith(b"5")
        assert say(b"MAIL FROM:<ann@example.test>").startswith(b"530 5.7.0")
    with from_far_away(server, "imap") as say:
        assert b"LOGINDISABLED" in say(b"a CAPABILITY")
        assert say(b"b LOGIN ann@example.test kuvo-tase-rimi").startswith(b"b NO [PRIVACYREQUIRED]")


def test_a_remote_client_may_not_relay(server: Server) -> None:
    with from_far_away(server, "smtp") as say:
        say(b"EHLO client.test")
        assert say(b"MAIL FROM:<>").startswith(b"250 ")
        assert say(b"RCPT TO:<someone@elsewhere.test>").startswith(b"550 5.7.1")
        assert say(b"RCPT TO:<bob@example.test>").startswith(b"250 ")
