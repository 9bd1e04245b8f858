"""Runs every script of the imaptest suite, which nobody here wrote, against a server of real processes.

The folder is no part of the project: FREEHOLD_SUITES names the one above it, or it lies in ../shared/suites.
"""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.imaptest.runner import Account, Mbox, Run
from tests.imaptest.script import read_script
from tests.mail_host import PASSWORD
from tests.scenarios.server import Server, running_server

REPOSITORY = Path(__file__).parents[2]
SUITES = Path(os.environ.get("FREEHOLD_SUITES", REPOSITORY.parent / "shared" / "suites")) / "imap"

NO_SUCH_COMMAND = r"'BAD', 'unknown', 'command'\] instead of ok"
REFUSED = {
    "notify": r"'BAD', 'NOTIFY:', 'MessageNew', 'and', 'MessageExpunge', 'must', 'be', 'given', 'together,'",
    "urlauth": NO_SUCH_COMMAND,
    "urlauth-binary": NO_SUCH_COMMAND,
    "urlauth2": NO_SUCH_COMMAND,
}
"""Scripts that fail, and at what: RFC 5465 §5 forbids what `notify` asks for, and URLAUTH is not offered."""


def scripts() -> list[object]:
    """Return a case for each script; without the suite, one that is skipped."""
    if not SUITES.is_dir():
        return [pytest.param(SUITES, marks=pytest.mark.skip(reason=f"no suite at {SUITES}"))]
    return [pytest.param(path) for path in sorted(SUITES.iterdir()) if path.is_file() and not path.suffix]


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
    run = Run(script, Mbox(mbox if mbox.exists() else SUITES / "default.mbox"), account)
    refusal = REFUSED.get(path.name)
    with nullcontext() if refusal is None else pytest.raises(AssertionError, match=refusal):
        run.run()
