"""The SQL of logins and app passwords."""

from freehold.accounts.model import AppPassword, Credentials, Login, Use
from freehold.storage.database import Row, Transaction

_LOGIN = (
    "SELECT l.id, l.name, l.owner_id, l.password_hash, l.scram_verifier, l.is_disabled, o.is_administrator"
    " FROM login_name n JOIN login l ON l.id = n.login_id JOIN owner o ON o.id = l.owner_id"
)
_APP_PASSWORD = "SELECT id, login_id, label, uses, created_ms, expires_ms, last_used_ms FROM app_password"  # noqa: S105 - SQL


async def login_by_name(tx: Transaction, name: str) -> Login | None:
    """Return a login by any of its names, in lower case."""
    row = await tx.fetch_one(f"{_LOGIN} WHERE n.name = ?", name)
    return None if row is None else _login(row)


async def insert_login(tx: Transaction, login: Login, *, now_ms: int) -> None:
    """Add a login whose names are free; `insert_login_name` gives it its names."""
    await tx.execute(
        "INSERT INTO login (id, name, owner_id, password_hash, scram_verifier, is_disabled, created_ms,"
        " changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        login.id,
        login.name,
        login.owner_id,
        login.password_hash,
        login.scram_verifier,
        login.is_disabled,
        now_ms,
        now_ms,
    )


async def insert_login_name(tx: Transaction, name: str, login_id: int) -> None:
    """Let a login go by a name that is free."""
    await tx.execute("INSERT INTO login_name (name, login_id) VALUES (?, ?)", name, login_id)


async def update_credentials(
    tx: Transaction, login_id: int, credentials: Credentials, *, now_ms: int
) -> None:
    """Set a login's password."""
    await tx.execute(
        "UPDATE login SET password_hash = ?, scram_verifier = ?, changed_ms = ? WHERE id = ?",
        credentials.password_hash,
        credentials.scram_verifier,
        now_ms,
        login_id,
    )


async def replace_credentials(
    tx: Transaction, login_id: int, old_hash: str, credentials: Credentials
) -> None:
    """Store the same password hashed anew, unless the password was changed meanwhile."""
    await tx.execute(
        "UPDATE login SET password_hash = ?, scram_verifier = ? WHERE id = ? AND password_hash = ?",
        credentials.password_hash,
        credentials.scram_verifier,
        login_id,
        old_hash,
    )


async def update_login_disabled(tx: Transaction, login_id: int, *, is_disabled: bool, now_ms: int) -> None:
    """Switch a login off or on."""
    await tx.execute(
        "UPDATE login SET is_disabled = ?, changed_ms = ? WHERE id = ?", is_disabled, now_ms, login_id
    )


async def delete_login(tx: Transaction, login_id: int) -> None:
    """Remove a login with its names and app passwords."""
    await tx.execute("DELETE FROM app_password WHERE login_id = ?", login_id)
    await tx.execute("DELETE FROM login_name WHERE login_id = ?", login_id)
    await tx.execute("DELETE FROM login WHERE id = ?", login_id)


async def insert_app_password(tx: Transaction, app_password: AppPassword, digest: bytes) -> None:
    """Add an app password."""
    await tx.execute(
        "INSERT INTO app_password (id, login_id, label, uses, digest, created_ms, expires_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        app_password.id,
        app_password.login_id,
        app_password.label,
        " ".join(sorted(use.value for use in app_password.uses)),
        digest,
        app_password.created_ms,
        app_password.expires_ms,
    )


async def app_password_by_digest(tx: Transaction, digest: bytes) -> AppPassword | None:
    """Return the app password with this SHA-256 digest."""
    row = await tx.fetch_one(f"{_APP_PASSWORD} WHERE digest = ?", digest)
    return None if row is None else _app_password(row)


async def app_passwords_of(tx: Transaction, login_id: int) -> list[AppPassword]:
    """Return a login's app passwords, oldest first."""
    rows = await tx.fetch(f"{_APP_PASSWORD} WHERE login_id = ? ORDER BY id", login_id)
    return [_app_password(row) for row in rows]


async def delete_app_password(tx: Transaction, login_id: int, app_password_id: int) -> bool:
    """Remove an app password of a login; returns whether there was one."""
    row = await tx.fetch_one(
        "DELETE FROM app_password WHERE id = ? AND login_id = ? RETURNING id", app_password_id, login_id
    )
    return row is not None


async def update_last_used(tx: Transaction, app_password_id: int, now_ms: int) -> None:
    """Note when an app password was used."""
    await tx.execute("UPDATE app_password SET last_used_ms = ? WHERE id = ?", now_ms, app_password_id)


def _login(row: Row) -> Login:
    login_id, name, owner_id, password_hash, verifier, is_disabled, is_administrator = row
    return Login(login_id, name, owner_id, password_hash, verifier, bool(is_disabled), bool(is_administrator))


def _app_password(row: Row) -> AppPassword:
    uses = frozenset(Use(word) for word in row[3].split())
    return AppPassword(row[0], row[1], row[2], uses, *row[4:7])
