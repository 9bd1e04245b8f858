"""A server that the tests of a file share; a file that needs another kind has a `started` of its own."""

from collections.abc import Iterator

import pytest

from tests.scenarios.clients import ANN, BOB, empty
from tests.scenarios.server import Server, running_server


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a file."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: Server) -> Server:
    """The server, with nothing in Ann's and Bob's INBOX."""
    for login in (ANN, BOB):
        empty(started, login)
    return started
