"""Owners and logins for tests, made with cheap hashes and a clock that is set by hand."""

from freehold.accounts.logins import add_login
from freehold.accounts.model import HOST_ADMINISTRATOR, UNLIMITED, Actor, Credentials, Owner, OwnerLimits
from freehold.accounts.owners import add_owner
from freehold.accounts.passwords import PasswordCost
from freehold.storage.database import Database

CHEAP = PasswordCost(memory_kib=8, passes=1, lanes=1, scram_iterations=4096)
NOW_MS = 1_700_000_000_000


class SetClock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.moment_ms = NOW_MS

    def now_ms(self) -> int:
        return self.moment_ms


async def new_owner(
    database: Database, name: str, *, administrator: bool = False, limits: OwnerLimits = UNLIMITED
) -> Owner:
    return await database.write(
        add_owner, HOST_ADMINISTRATOR, name, is_administrator=administrator, limits=limits, now_ms=NOW_MS
    )


async def new_actor(database: Database, name: str) -> Actor:
    return (await new_owner(database, name)).actor


async def new_login(
    database: Database,
    owner_id: int,
    address: str,
    credentials: Credentials | None,
    own_name: str | None = None,
) -> int:
    return await database.write(
        add_login,
        owner_id=owner_id,
        address=address,
        own_name=own_name,
        credentials=credentials,
        now_ms=NOW_MS,
    )
