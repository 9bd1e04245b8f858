"""App passwords."""

import hashlib

import pytest

from freehold.accounts.app_passwords import (
    NewAppPassword,
    add_app_password,
    list_app_passwords,
    make_secret,
    revoke_app_password,
    secret_digest,
)
from freehold.accounts.errors import AppPasswordNotFoundError, LimitReachedError, LoginNotFoundError
from freehold.accounts.model import HOST_ADMINISTRATOR, Actor, Use
from freehold.errors import InvalidValueError
from freehold.storage.database import Database
from tests.accounts.people import NOW_MS, new_login, new_owner


async def add(
    database: Database, actor: Actor, *, label: str = "Phone", expires_ms: int | None = None
) -> NewAppPassword:
    return await database.write(
        add_app_password,
        actor,
        "ann@a.example",
        secret=make_secret(),
        label=label,
        uses=(Use.IMAP, Use.SUBMISSION),
        expires_ms=expires_ms,
        now_ms=NOW_MS,
    )


def test_a_secret_is_128_bits_in_groups_of_four() -> None:
    secret = make_secret()
    assert [len(group) for group in secret.split("-")] == [4, 4, 4, 4, 4, 4, 2]
    assert secret != make_secret()


def test_a_secret_may_be_typed_without_its_groups_and_in_capitals() -> None:
    digest = hashlib.sha256(b"abcdefghjkmnpqrstuvwxyz234").digest()
    assert secret_digest("abcd-efgh-jkmn-pqrs-tuvw-xyz2-34") == digest
    assert secret_digest("ABCD EFGH JKMN PQRS TUVW XYZ2 34") == digest


@pytest.mark.parametrize(
    "typed", ["", "short", "abcd-efgh-jkmn-pqrs-tuvw-xyz2-3l", "x" * 1000, "\ud800" * 26]
)
def test_other_texts_are_no_secrets(typed: str) -> None:
    assert secret_digest(typed) is None


async def test_an_app_password_is_listed_and_revoked(database: Database) -> None:
    owner = await new_owner(database, "anna")
    await new_login(database, owner.id, "ann@a.example", None)
    new = await add(database, owner.actor)
    assert await database.read(list_app_passwords, owner.actor, "ann@a.example") == [new.app_password]
    assert new.app_password.uses == {Use.IMAP, Use.SUBMISSION}
    await database.write(revoke_app_password, owner.actor, "ann@a.example", new.app_password.id)
    assert await database.read(list_app_passwords, owner.actor, "ann@a.example") == []
    with pytest.raises(AppPasswordNotFoundError):
        await database.write(revoke_app_password, owner.actor, "ann@a.example", new.app_password.id)


async def test_another_owner_has_no_access_to_them(database: Database) -> None:
    owner, other = await new_owner(database, "anna"), await new_owner(database, "bert")
    await new_login(database, owner.id, "ann@a.example", None)
    new = await add(database, owner.actor)
    with pytest.raises(LoginNotFoundError):
        await add(database, other.actor)
    with pytest.raises(LoginNotFoundError):
        await database.read(list_app_passwords, other.actor, "ann@a.example")
    with pytest.raises(LoginNotFoundError):
        await database.write(revoke_app_password, other.actor, "ann@a.example", new.app_password.id)


async def test_one_login_cannot_revoke_what_is_another_ones(database: Database) -> None:
    owner = await new_owner(database, "anna")
    await new_login(database, owner.id, "ann@a.example", None)
    await new_login(database, owner.id, "bob@a.example", None)
    new = await add(database, owner.actor)
    with pytest.raises(AppPasswordNotFoundError):
        await database.write(revoke_app_password, owner.actor, "bob@a.example", new.app_password.id)


async def test_a_label_without_text_and_an_expiry_in_the_past_are_refused(database: Database) -> None:
    owner = await new_owner(database, "anna")
    await new_login(database, owner.id, "ann@a.example", None)
    with pytest.raises(InvalidValueError):
        await add(database, owner.actor, label=" ")
    with pytest.raises(InvalidValueError):
        await add(database, owner.actor, expires_ms=NOW_MS)


async def test_a_login_has_a_hundred_at_most(sqlite_database: Database) -> None:
    owner = await new_owner(sqlite_database, "anna")
    await new_login(sqlite_database, owner.id, "ann@a.example", None)
    for _ in range(100):
        await add(sqlite_database, HOST_ADMINISTRATOR)
    with pytest.raises(LimitReachedError):
        await add(sqlite_database, HOST_ADMINISTRATOR)
