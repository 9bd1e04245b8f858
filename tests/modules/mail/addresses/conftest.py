"""What the tests of addresses share."""

from pathlib import Path

import pytest

from freehold.storage.blobs import BlobSettings, BlobStore, open_blobs
from freehold.storage.database import Database
from tests.modules.mail.addresses.town import Town, build_town


@pytest.fixture
def blobs(database: Database, tmp_path: Path) -> BlobStore:
    return open_blobs(database, tmp_path / "blobs", BlobSettings())


@pytest.fixture
async def town(database: Database) -> Town:
    """An administrator and two owners with a domain each."""
    return await build_town(database)
