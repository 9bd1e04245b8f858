"""What the tests of accounts share."""

from collections.abc import AsyncIterator, Sequence

import pytest

from freehold.accounts import SCHEMA
from freehold.accounts.passwords import Passwords
from freehold.storage.migrations import Schema
from tests.accounts.people import CHEAP, SetClock


@pytest.fixture
def database_schemas() -> Sequence[Schema]:
    return (SCHEMA,)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()
