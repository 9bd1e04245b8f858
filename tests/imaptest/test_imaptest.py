"""Runs every script of the imaptest suite, which nobody here wrote, against a server of real processes.

The folder is no part of the project: FREEHOLD_SUITES names the one above it, or it lies in ../shared/suites.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imaptest.runner import Account, Mbox, Run
from tests.imaptest.script import read_script
from tests.mail_host import PASSWORD
from tests.scenarios.server import Server, running_server

REPOSITORY = Path(__file__).parents[2]
SUITES = Path(os.environ.get("FREEHOLD_SUITES", REPOSITORY.parent / "shared" / "suites")) / "imap"

EXPECTED_TO_FAIL = {
    "notify": "asks for MessageExpunge without MessageNew, which must be refused (RFC 5465 §5)",
    "urlauth": "URLAUTH is not offered",
    "urlauth-binary": "URLAUTH is not offered",
    "urlauth2": "URLAUTH is not offered",
}
"""They are run: one that passes is a fault of this table."""


def scripts() -> list[object]:
    """Return a case for each script; without the suite, one that is skipped."""
    if not SUITES.is_dir():
        return [pytest.param(SUITES, marks=pytest.mark.skip(reason=f"no suite at {SUITES}"))]
    return [
        pytest.param(path, marks=pytest.mark.xfail(strict=True, reason=EXPECTED_TO_FAIL[path.name]))
        if path.name in EXPECTED_TO_FAIL
        else pytest.param(path)
        for path in sorted(SUITES.iterdir())
        if path.is_file() and not path.suffix
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all scripts."""
    with running_server(tmp_path_factory.mktemp("imaptest"), workers=1) as running:
        yield running


@pytest.mark.parametrize("path", scripts(), ids=lambda path: str(path.name))
def test_the_server_answers_as_the_script_expects(path: Path, server: Server) -> None:
    script = read_script(path)
    mbox = path.with_suffix(".mbox")
    account = Account(server.ports["imap"], "ann@example.test", PASSWORD)
    Run(script, Mbox(mbox if mbox.exists() else SUITES / "default.mbox"), account).run()
