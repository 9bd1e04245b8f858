"""Logins: who proves who they are, by which names; made and removed along with what they are for."""

import re
import unicodedata

from freehold.accounts import login_store
from freehold.accounts.access import may_see
from freehold.accounts.domain_names import to_ascii
from freehold.accounts.errors import InvalidDomainNameError, LoginExistsError, LoginNotFoundError
from freehold.accounts.model import Actor, Credentials, Login
from freehold.errors import InvalidValueError
from freehold.storage.database import Transaction
from freehold.storage.open import next_number

MAX_LOGIN_NAME_CHARS = 254
"""A login name at most: a mail address fits (RFC 5321 §4.5.3.1.3, without the brackets)."""

_OWN_NAME = re.compile(r"[\w.+-]+")


def fold_login_name(text: str) -> str:
    """Return a login name as it is compared: trimmed, NFC, lower case, a domain in A-labels.

    Never fails: what can be no login name comes back as one that nobody has.
    """
    if len(text) > 2 * MAX_LOGIN_NAME_CHARS:
        return ""
    name = unicodedata.normalize("NFC", text.strip().lower())
    if len(name) > MAX_LOGIN_NAME_CHARS or not name.isprintable():
        return ""
    local, at, domain = name.rpartition("@")
    if at and not domain.isascii():
        try:
            return f"{local}@{to_ascii(domain)}"
        except InvalidDomainNameError:
            return name
    return name


async def add_login(
    tx: Transaction,
    *,
    owner_id: int,
    address: str,
    own_name: str | None,
    credentials: Credentials | None,
    now_ms: int,
) -> int:
    """Add a login that goes by a mail address and, if given, by a name of its own; returns its id.

    A name of its own has no "@", so that nobody takes another's address for a name.

    Raises:
        LoginExistsError: a name is taken.
        InvalidValueError: the name is malformed.
    """
    names = [address] if own_name is None else [_checked_own_name(own_name), address]
    for name in names:
        if await login_store.login_by_name(tx, name) is not None:
            raise LoginExistsError(f"the login name {name} is taken: choose another with --login")
    login_id = await next_number(tx, "login")
    login = Login(
        id=login_id,
        name=names[0],
        owner_id=owner_id,
        password_hash=None if credentials is None else credentials.password_hash,
        scram_verifier=None if credentials is None else credentials.scram_verifier,
        is_disabled=False,
        is_administrator=False,
    )
    await login_store.insert_login(tx, login, now_ms=now_ms)
    for name in names:
        await login_store.insert_login_name(tx, name, login_id)
    return login_id


async def visible_login(tx: Transaction, actor: Actor, name: str) -> Login:
    """Return a login that the actor may see and change, by any of its names.

    Raises:
        LoginNotFoundError: there is none, or it is another owner's.
    """
    login = await login_store.login_by_name(tx, fold_login_name(name))
    if login is None or not may_see(actor, login.owner_id):
        raise LoginNotFoundError(f"login {name.strip()!r} does not exist: see freehold mailbox list")
    return login


def _checked_own_name(text: str) -> str:
    name = fold_login_name(text)
    if _OWN_NAME.fullmatch(name) is None:
        raise InvalidValueError("a login name is letters, digits and . _ + -, without spaces or @")
    return name
