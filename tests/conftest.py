"""Fixtures for every test: uvloop, fresh databases on both engines; in CI nothing may be skipped unseen."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import uvloop

from freehold.storage.database import Database
from freehold.storage.migrations import Schema
from freehold.storage.open import open_database
from tests.databases import POSTGRES_VARIABLE, PostgresDatabases, postgres_server

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Run tests on the loop that the server uses."""
    del config, item
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """The address of a PostgreSQL server: the given one, or a private one for this run (or xdist worker)."""
    given = os.environ.get(POSTGRES_VARIABLE)
    if given:
        yield given
        return
    with postgres_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server_url: str) -> Iterator[str]:
    """The address of a fresh, empty PostgreSQL database."""
    databases = PostgresDatabases(postgres_server_url)
    yield databases.create()
    databases.drop_all()


@pytest.fixture(params=["sqlite", "postgres"])
def database_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that does not exist yet (SQLite) or is empty (PostgreSQL)."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'freehold.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database_schemas() -> Sequence[Schema]:
    """The schemas of the `database` fixture beside the storage layer's own; a test module overrides this."""
    return ()


@pytest.fixture
async def database(database_address: str, database_schemas: Sequence[Schema]) -> AsyncIterator[Database]:
    """A fresh open database, once on each engine."""
    opened = await open_database(database_address, schemas=database_schemas)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(tmp_path: Path, database_schemas: Sequence[Schema]) -> AsyncIterator[Database]:
    """A fresh open SQLite database, for tests in which the engine does not matter."""
    opened = await open_database(str(tmp_path / "freehold.db"), schemas=database_schemas)
    yield opened
    await opened.close()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a CI run that skipped a test: there, a skip is a hole that nobody sees."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _in_ci() and exitstatus == 0 and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped in CI."""
    skipped = terminalreporter.stats.get("skipped", [])
    if _in_ci() and skipped:
        terminalreporter.section("a test that is skipped fails a CI run", red=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr}")


def _in_ci() -> bool:
    return os.environ.get("CI") == "true"
