"""Runs every script of the imaptest suite, which nobody here wrote, against a server of real processes.

The folder is no part of the project: FREEHOLD_SUITES names the one above it, or it lies in ../shared/suites.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imaptest.runner import Account, Mbox, Run
from tests.imaptest.script import read_script
from tests.mail_host import PASSWORD
from tests.scenarios.server import Server, running_server

REPOSITORY = Path(__file__).parents[2]
SUITES = Path(os.environ.get("FREEHOLD_SUITES", REPOSITORY.parent / "shared" / "suites")) / "imap"

MISSING = pytest.mark.skip(reason=f"no suite at {SUITES}")
SCRIPTS = (
    sorted(path for path in SUITES.iterdir() if not path.suffix and path.is_file())
    if SUITES.is_dir()
    else [pytest.param(SUITES, marks=MISSING)]
)


AGAINST_THE_RFC = {
    "notify": "asks for MessageExpunge without MessageNew, which must be refused (RFC 5465 §5)",
}
"""Scripts that expect what no server may do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all scripts."""
    with running_server(tmp_path_factory.mktemp("imaptest"), workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def offered(server: Server) -> set[str]:
    """The capabilities after login."""
    with socket.create_connection(("127.0.0.1", server.ports["imap"]), 20) as client:
        file = client.makefile("rb")
        file.readline()
        client.sendall(b"a LOGIN ann@example.test " + PASSWORD.encode() + b"\r\nb CAPABILITY\r\n")
        for line in file:
            if line.startswith(b"* CAPABILITY"):
                return set(line.decode().upper().split()[2:])
    raise AssertionError("no capabilities")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_the_server_answers_as_the_script_expects(path: Path, server: Server, offered: set[str]) -> None:
    script = read_script(path)
    missing = set(script.capabilities) - offered
    if missing:
        pytest.xfail(f"not offered: {', '.join(sorted(missing))}")
    if path.name in AGAINST_THE_RFC:
        pytest.xfail(AGAINST_THE_RFC[path.name])
    mbox = path.with_suffix(".mbox")
    account = Account(server.ports["imap"], "ann@example.test", PASSWORD)
    Run(script, Mbox(mbox if mbox.exists() else SUITES / "default.mbox"), account).run()
