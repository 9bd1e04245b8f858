"""Fixtures of mail's tests: all schemas, and a host with ann and bob."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from freehold.storage.database import Database
from freehold.storage.migrations import Schema
from tests.mail_host import SCHEMAS, MailHost, mail_host


@pytest.fixture
def database_schemas() -> Sequence[Schema]:
    """The tables of accounts and mail."""
    return SCHEMAS


@pytest.fixture
async def host(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[MailHost]:
    """A host with ann@example.test and bob@example.test."""
    async with mail_host(sqlite_database, tmp_path) as made:
        await made.add_people("ann@example.test", "bob@example.test")
        yield made


@pytest.fixture
async def any_host(database: Database, tmp_path: Path) -> AsyncIterator[MailHost]:
    """The same host, once on each engine."""
    async with mail_host(database, tmp_path) as made:
        await made.add_people("ann@example.test", "bob@example.test")
        yield made
