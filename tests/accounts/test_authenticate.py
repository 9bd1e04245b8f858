"""Who logs in, and that every failure looks the same."""

from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address

import pytest

from freehold.accounts import login_store
from freehold.accounts.app_passwords import (
    add_app_password,
    list_app_passwords,
    make_secret,
    revoke_app_password,
)
from freehold.accounts.authenticate import LAST_USE_STEP_MS, Authenticator
from freehold.accounts.errors import LoginExistsError, LoginFailedError, LoginNotFoundError, LoginsBusyError
from freehold.accounts.logins import fold_login_name, visible_login
from freehold.accounts.model import HOST_ADMINISTRATOR, Use
from freehold.accounts.passwords import Passwords
from freehold.accounts.scram import installation_key
from freehold.errors import InvalidValueError
from freehold.protocols.sasl.scram import ScramVerifier
from freehold.storage.database import Database
from tests.accounts.people import CHEAP, NOW_MS, SetClock, new_login, new_owner

CLIENT = ip_address("192.0.2.1")
PASSWORD = "correct horse"


class Waits(list[float]):
    """Notes how long the brake would have waited."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def authenticator(database: Database, clock: SetClock, waits: Waits) -> AsyncIterator[Authenticator]:
    key = await installation_key(database)
    made = Authenticator(database, clock, Passwords(CHEAP), key, sleep=waits)
    yield made
    await made.close()


@pytest.fixture
async def login_id(database: Database, passwords: Passwords) -> int:
    owner = await new_owner(database, "anna")
    return await new_login(database, owner.id, "ann@a.example", await passwords.make(PASSWORD), "Ann")


async def new_app_password(database: Database, expires_ms: int | None = None) -> tuple[int, str]:
    """Give Ann an app password for IMAP; returns its id and its secret."""
    secret = make_secret()
    made = await database.write(
        add_app_password,
        HOST_ADMINISTRATOR,
        "ann",
        secret=secret,
        label="Phone",
        uses=(Use.IMAP,),
        expires_ms=expires_ms,
        now_ms=NOW_MS,
    )
    return made.app_password.id, secret


async def refuse(
    authenticator: Authenticator, login: str, password: str = PASSWORD, use: Use = Use.IMAP
) -> None:
    with pytest.raises(LoginFailedError) as caught:
        await authenticator.authenticate(login=login, password=password, use=use)
    assert caught.value.public == LoginFailedError.public


@pytest.mark.parametrize("name", ["ann@a.example", "ANN@A.example ", "ann", " Ann"])
async def test_a_login_goes_by_its_address_and_its_own_name(
    authenticator: Authenticator, login_id: int, name: str
) -> None:
    identity = await authenticator.authenticate(login=name, password=PASSWORD, use=Use.IMAP)
    assert (identity.login_id, identity.login, identity.app_password_id) == (login_id, "ann", None)


@pytest.mark.usefixtures("login_id")
@pytest.mark.parametrize("name", ["", "bob", "ann@b.example", "a" * 5000, "ann\0", "\ud800", "ann@\udfff.é"])
async def test_an_unknown_name_fails(authenticator: Authenticator, name: str) -> None:
    await refuse(authenticator, name)


@pytest.mark.usefixtures("login_id")
@pytest.mark.parametrize(
    "password", ["", "wrong", "Correct horse", "x" * 5000, "\0", "\ud800", PASSWORD + "\n"]
)
async def test_a_wrong_password_fails_also_after_a_right_one(
    authenticator: Authenticator, password: str
) -> None:
    await authenticator.authenticate(login="ann", password=PASSWORD, use=Use.IMAP)
    await refuse(authenticator, "ann", password)


async def test_a_login_without_a_password_fails(database: Database, authenticator: Authenticator) -> None:
    owner = await new_owner(database, "anna")
    await new_login(database, owner.id, "ann@a.example", None)
    await refuse(authenticator, "ann@a.example", "")


async def test_a_changed_password_is_in_force_at_once(
    database: Database, authenticator: Authenticator, passwords: Passwords, login_id: int
) -> None:
    await authenticator.authenticate(login="ann", password=PASSWORD, use=Use.IMAP)
    changed = await passwords.make("battery staple")
    await database.write(login_store.update_credentials, login_id, changed, now_ms=NOW_MS)
    await refuse(authenticator, "ann", PASSWORD)
    await authenticator.authenticate(login="ann", password="battery staple", use=Use.IMAP)


async def test_a_disabled_login_fails_at_once_although_it_was_proven(
    database: Database, authenticator: Authenticator, login_id: int
) -> None:
    await authenticator.authenticate(login="ann", password=PASSWORD, use=Use.IMAP)
    await database.write(login_store.update_login_disabled, login_id, is_disabled=True, now_ms=NOW_MS)
    await refuse(authenticator, "ann")


async def test_a_removed_login_fails_at_once(
    database: Database, authenticator: Authenticator, login_id: int
) -> None:
    await authenticator.authenticate(login="ann", password=PASSWORD, use=Use.IMAP)
    await database.write(login_store.delete_login, login_id)
    await refuse(authenticator, "ann")


async def test_a_hash_of_an_old_cost_is_renewed_by_a_login(
    database: Database, clock: SetClock, login_id: int
) -> None:
    del login_id
    before = await database.read(login_store.login_by_name, "ann")
    stronger = Authenticator(database, clock, Passwords(replace(CHEAP, passes=2)), b"k" * 32)
    await stronger.authenticate(login="ann", password=PASSWORD, use=Use.IMAP)
    await stronger.close()
    after = await database.read(login_store.login_by_name, "ann")
    assert before is not None
    assert after is not None
    assert ",t=1," in str(before.password_hash)
    assert ",t=2," in str(after.password_hash)


async def test_an_app_password_works_for_its_uses_until_it_expires(
    database: Database, authenticator: Authenticator, clock: SetClock, login_id: int
) -> None:
    app_password_id, secret = await new_app_password(database, expires_ms=NOW_MS + 1000)
    identity = await authenticator.authenticate(login="ann", password=secret.upper(), use=Use.IMAP)
    assert (identity.login_id, identity.app_password_id) == (login_id, app_password_id)
    await refuse(authenticator, "ann", secret, Use.SUBMISSION)
    clock.moment_ms += 1000
    await refuse(authenticator, "ann", secret)


async def test_an_app_password_works_for_its_own_login_only_and_not_after_it_is_revoked(
    database: Database, authenticator: Authenticator, passwords: Passwords, login_id: int
) -> None:
    del login_id
    login = await database.read(visible_login, HOST_ADMINISTRATOR, "ann")
    await new_login(database, login.owner_id, "bob@a.example", await passwords.make(PASSWORD))
    app_password_id, secret = await new_app_password(database)
    await refuse(authenticator, "bob@a.example", secret)
    await authenticator.authenticate(login="ann", password=secret, use=Use.IMAP)
    await database.write(revoke_app_password, HOST_ADMINISTRATOR, "ann", app_password_id)
    await refuse(authenticator, "ann", secret)


async def test_the_last_use_of_an_app_password_is_noted_now_and_then(
    database: Database, clock: SetClock, login_id: int
) -> None:
    del login_id
    _, secret = await new_app_password(database)

    async def log_in_at(moment_ms: int) -> int | None:
        clock.moment_ms = moment_ms
        authenticator = Authenticator(database, clock, Passwords(CHEAP), b"k" * 32)
        await authenticator.authenticate(login="ann", password=secret, use=Use.IMAP)
        await authenticator.close()
        [listed] = await database.read(list_app_passwords, HOST_ADMINISTRATOR, "ann")
        return listed.last_used_ms

    assert await log_in_at(NOW_MS + 5) == NOW_MS + 5
    assert await log_in_at(NOW_MS + LAST_USE_STEP_MS) == NOW_MS + 5
    assert await log_in_at(NOW_MS + 5 + LAST_USE_STEP_MS) == NOW_MS + 5 + LAST_USE_STEP_MS


@pytest.mark.usefixtures("login_id")
async def test_guessing_waits_longer_and_longer_and_is_then_refused(
    authenticator: Authenticator, waits: Waits
) -> None:
    for _ in range(7):
        with pytest.raises(LoginFailedError):
            await authenticator.authenticate(login="ann", password="guess", use=Use.IMAP, client=CLIENT)
    with pytest.raises(LoginsBusyError):
        await authenticator.authenticate(login="ann", password=PASSWORD, use=Use.IMAP, client=CLIENT)
    assert waits == [1.0, 2.0, 4.0, 8.0]
    await authenticator.authenticate(
        login="ann", password=PASSWORD, use=Use.IMAP, client=ip_address("192.0.2.9")
    )


async def test_scram_gives_the_stored_verifier_and_checks_the_login_again(
    database: Database, authenticator: Authenticator, login_id: int
) -> None:
    attempt = await authenticator.scram_attempt(login="Ann", client=CLIENT)
    assert attempt.verifier == ScramVerifier.derive(PASSWORD, attempt.verifier.salt, 4096)
    assert (await authenticator.scram_proven(attempt)).login_id == login_id
    await database.write(login_store.update_login_disabled, login_id, is_disabled=True, now_ms=NOW_MS)
    with pytest.raises(LoginFailedError):
        await authenticator.scram_proven(attempt)


async def test_scram_fails_when_the_password_changed_meanwhile(
    database: Database, authenticator: Authenticator, passwords: Passwords, login_id: int
) -> None:
    attempt = await authenticator.scram_attempt(login="ann")
    await database.write(
        login_store.update_credentials, login_id, await passwords.make(PASSWORD), now_ms=NOW_MS
    )
    with pytest.raises(LoginFailedError):
        await authenticator.scram_proven(attempt)


async def test_an_unknown_login_gets_a_decoy_that_is_always_the_same(
    database: Database, authenticator: Authenticator, clock: SetClock
) -> None:
    attempt = await authenticator.scram_attempt(login="nobody")
    another_process = Authenticator(database, clock, Passwords(CHEAP), await installation_key(database))
    assert (await another_process.scram_attempt(login="NOBODY")).verifier == attempt.verifier
    assert (await authenticator.scram_attempt(login="somebody")).verifier.salt != attempt.verifier.salt
    assert attempt.verifier.iterations == CHEAP.scram_iterations
    assert len(attempt.verifier.salt) == 16
    with pytest.raises(LoginFailedError):
        await authenticator.scram_proven(attempt)
    await another_process.close()


async def test_wrong_scram_proofs_are_slowed_down_like_wrong_passwords(
    authenticator: Authenticator, waits: Waits
) -> None:
    for _ in range(5):
        authenticator.scram_failed(await authenticator.scram_attempt(login="ann", client=CLIENT))
    assert waits == [1.0, 2.0]


async def test_a_login_name_is_given_once(database: Database, login_id: int) -> None:
    del login_id
    login = await database.read(visible_login, HOST_ADMINISTRATOR, "ann")
    for address, own_name in (("ann@a.example", None), ("ann@b.example", "ANN")):
        with pytest.raises(LoginExistsError):
            await new_login(database, login.owner_id, address, None, own_name)


async def test_a_name_of_ones_own_is_no_address(database: Database) -> None:
    owner = await new_owner(database, "anna")
    for own_name in ("bob@b.example", "", "a b", "x" * 300):
        with pytest.raises(InvalidValueError):
            await new_login(database, owner.id, "ann@a.example", None, own_name)


@pytest.mark.usefixtures("login_id")
async def test_another_owner_sees_no_login(database: Database) -> None:
    bert = (await new_owner(database, "bert")).actor
    with pytest.raises(LoginNotFoundError):
        await database.read(visible_login, bert, "ann")


def test_a_login_name_is_folded_with_its_domain() -> None:
    assert fold_login_name(" ANN@Bücher.Example ") == "ann@xn--bcher-kva.example"
