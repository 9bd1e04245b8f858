"""App passwords: random secrets of one device or program, valid for named uses only, revocable."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from freehold.accounts import login_store
from freehold.accounts.errors import AppPasswordNotFoundError, LimitReachedError
from freehold.accounts.logins import visible_login
from freehold.accounts.model import Actor, AppPassword, Login, Use
from freehold.errors import InvalidValueError
from freehold.storage.database import Transaction
from freehold.storage.open import next_number

SECRET_BITS = 128
"""Too many to try, so a plain SHA-256 of it is as good as a slow hash."""
SECRET_CHARS = 26
"""128 bits in base 32."""
GROUP_CHARS = 4
MAX_LABEL_CHARS = 100
MAX_APP_PASSWORDS = 100
"""App passwords of one login at most."""

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: they are mistaken for each other
_GROUPING = str.maketrans("", "", "- ")
_LETTERS = frozenset(_ALPHABET)


@dataclass(frozen=True, slots=True)
class NewAppPassword:
    """A new app password and its secret, which is shown once and not kept."""

    app_password: AppPassword
    secret: str


def make_secret() -> str:
    """Return a new secret as shown: lower case letters and digits in groups of four."""
    number = secrets.randbits(SECRET_BITS)
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(SECRET_CHARS))
    return "-".join(letters[at : at + GROUP_CHARS] for at in range(0, SECRET_CHARS, GROUP_CHARS))


def secret_digest(typed: str) -> bytes | None:
    """Return the stored form of a secret typed with or without its groups, or None if it can be none."""
    if len(typed) > 2 * SECRET_CHARS:
        return None
    plain = typed.translate(_GROUPING).lower()
    if len(plain) != SECRET_CHARS or not _LETTERS.issuperset(plain):
        return None
    return hashlib.sha256(plain.encode("ascii")).digest()


async def add_app_password(  # noqa: PLR0913 - the facts of one app password
    tx: Transaction,
    actor: Actor,
    login: str,
    *,
    secret: str,
    label: str,
    uses: Iterable[Use],
    expires_ms: int | None = None,
    now_ms: int,
) -> NewAppPassword:
    """Give a login an app password with a secret of `make_secret`, made outside of the transaction.

    Raises:
        LoginNotFoundError: there is no such login for this actor.
        InvalidValueError: no uses, a label that is empty or too long, an expiry in the past.
        LimitReachedError: the login has too many.
    """
    owner_login = await visible_login(tx, actor, login)
    allowed = frozenset(uses)
    label = label.strip()
    digest = secret_digest(secret)
    if not allowed:
        raise InvalidValueError("name at least one use: " + ", ".join(use.value for use in Use))
    if not label or len(label) > MAX_LABEL_CHARS or not label.isprintable():
        raise InvalidValueError(f"a label is 1 to {MAX_LABEL_CHARS} printable characters, such as Phone")
    if digest is None:
        raise InvalidValueError("not a secret of an app password")
    if expires_ms is not None and expires_ms <= now_ms:
        raise InvalidValueError("the expiry is in the past")
    if len(await login_store.app_passwords_of(tx, owner_login.id)) >= MAX_APP_PASSWORDS:
        raise LimitReachedError(f"a login has at most {MAX_APP_PASSWORDS} app passwords: revoke some")
    number = await next_number(tx, "app_password")
    app_password = AppPassword(number, owner_login.id, label, allowed, now_ms, expires_ms, None)
    await login_store.insert_app_password(tx, app_password, digest)
    return NewAppPassword(app_password, secret)


async def list_app_passwords(tx: Transaction, actor: Actor, login: str) -> list[AppPassword]:
    """Return a login's app passwords, oldest first.

    Raises:
        LoginNotFoundError: there is no such login for this actor.
    """
    owner_login = await visible_login(tx, actor, login)
    return await login_store.app_passwords_of(tx, owner_login.id)


async def revoke_app_password(tx: Transaction, actor: Actor, login: str, app_password_id: int) -> Login:
    """Make an app password invalid at once.

    Raises:
        LoginNotFoundError: there is no such login for this actor.
        AppPasswordNotFoundError: the login has none of this number.
    """
    owner_login = await visible_login(tx, actor, login)
    if not await login_store.delete_app_password(tx, owner_login.id, app_password_id):
        raise AppPasswordNotFoundError(
            f"{owner_login.name} has no app password {app_password_id}:"
            f" see freehold app-password list {owner_login.name}"
        )
    return owner_login
