"""Who is this? Passwords, app passwords and SCRAM, for every protocol that has logins.

Every failure looks the same and takes the same time: an unknown login, a wrong password, a disabled login
and an app password of another use. The login's row is read at each attempt, so a change is in force at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from freehold.accounts import login_store
from freehold.accounts.app_passwords import secret_digest
from freehold.accounts.brake import GuessBrake
from freehold.accounts.errors import LoginFailedError, LoginsBusyError
from freehold.accounts.logins import fold_login_name
from freehold.accounts.model import AppPassword, Identity, Login, Use
from freehold.accounts.password_rules import prepare_password
from freehold.accounts.passwords import DEFAULT_COST, PasswordCost, Passwords
from freehold.accounts.proven import ProvenLogins
from freehold.accounts.scram import decoy_verifier, installation_key
from freehold.errors import FreeholdError
from freehold.kernel.clock import Clock
from freehold.kernel.log import get_logger
from freehold.protocols.sasl.scram import ScramVerifier
from freehold.storage.database import Database, Transaction

LAST_USE_STEP_MS: Final = 10 * 60 * 1000
"""An app password's last use is written at most this often."""
MAX_NOTES: Final = 100
"""Notes (last use, new hash) that wait to be written at the most; more are dropped and come again."""

log = get_logger("freehold.accounts")

Client = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class ScramAttempt:
    """One SCRAM exchange: the verifier for it, and what `scram_proven` checks again."""

    verifier: ScramVerifier
    name: str
    stored: str | None
    client: Client | None


class Authenticator:
    """Logins of one process; made by `open_authenticator`, closed with `close`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        passwords: Passwords,
        scram_key: bytes,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._scram_key = scram_key
        self._sleep = sleep
        self._proven = ProvenLogins()
        self._brake = GuessBrake()
        self._notes: set[asyncio.Task[None]] = set()

    async def authenticate(
        self, *, login: str, password: str, use: Use, client: Client | None = None
    ) -> Identity:
        """Return who logs in with a name and the main password, or an app password for this use.

        `client` is whom to slow down for guessing; None for a caller of ours.

        Raises:
            LoginFailedError: the name or the password is wrong, or it may not be used for this.
            LoginsBusyError: too many logins at the moment, or this client guesses.
        """
        name = fold_login_name(login)
        await self._wait_turn(client, name)
        try:
            identity = await self._check(name, password, use)
        except LoginFailedError:
            self._count_failure(client, name)
            raise
        self._count_success(client, name)
        return identity

    async def scram_attempt(self, *, login: str, client: Client | None = None) -> ScramAttempt:
        """Return the verifier for a SCRAM exchange; for an unknown login one that no proof ever matches.

        Raises:
            LoginsBusyError: this client guesses.
        """
        name = fold_login_name(login)
        await self._wait_turn(client, name)
        row = await self._database.read(login_store.login_by_name, name)
        if row is None or row.is_disabled or row.scram_verifier is None:
            verifier = decoy_verifier(self._scram_key, name, self._passwords.cost.scram_iterations)
            return ScramAttempt(verifier, name, None, client)
        return ScramAttempt(ScramVerifier.parse(row.scram_verifier), name, row.scram_verifier, client)

    async def scram_proven(self, attempt: ScramAttempt) -> Identity:
        """Return who gave a right proof, unless the login was changed or disabled meanwhile.

        Raises:
            LoginFailedError: it was.
        """
        row = await self._database.read(login_store.login_by_name, attempt.name)
        if row is None or row.is_disabled or attempt.stored is None or row.scram_verifier != attempt.stored:
            self.scram_failed(attempt)
            raise LoginFailedError
        self._count_success(attempt.client, attempt.name)
        return _identity(row)

    def scram_failed(self, attempt: ScramAttempt) -> None:
        """Count a wrong proof."""
        self._count_failure(attempt.client, attempt.name)

    async def close(self) -> None:
        """Finish the notes that are being written and end the password work."""
        if self._notes:
            await asyncio.wait(self._notes)
        self._passwords.close()

    async def _check(self, name: str, password: str, use: Use) -> Identity:
        login, app_password = await self._database.read(_read_login, name, secret_digest(password))
        now_ms = self._clock.now_ms()
        if login is not None and app_password is not None and _is_valid(login, app_password, use, now_ms):
            self._note_use(app_password, now_ms)
            return _identity(login, app_password.id)
        prepared = prepare_password(password)
        if login is None or login.is_disabled or login.password_hash is None or prepared is None:
            await self._passwords.verify(None, prepared)
            raise LoginFailedError
        fingerprint = self._proven.fingerprint(login.id, use, prepared, login.password_hash)
        if not self._proven.knows(fingerprint, now_ms=now_ms):
            await self._verify(login, login.password_hash, prepared)
            self._proven.remember(fingerprint, now_ms=now_ms)
        return _identity(login)

    async def _verify(self, login: Login, stored_hash: str, prepared: str) -> None:
        verification = await self._passwords.verify(stored_hash, prepared)
        if not verification.is_right:
            raise LoginFailedError
        if verification.is_outdated:
            self._write_note(self._rehash(login.id, stored_hash, prepared))

    async def _rehash(self, login_id: int, stored_hash: str, prepared: str) -> None:
        credentials = await self._passwords.remake(prepared)
        await self._database.write(login_store.replace_credentials, login_id, stored_hash, credentials)

    def _note_use(self, app_password: AppPassword, now_ms: int) -> None:
        last_ms = app_password.last_used_ms
        if last_ms is None or now_ms - last_ms >= LAST_USE_STEP_MS:
            self._write_note(self._database.write(login_store.update_last_used, app_password.id, now_ms))

    def _write_note(self, writing: Coroutine[Any, Any, None]) -> None:
        """Have something written that no login waits for."""
        if len(self._notes) >= MAX_NOTES:
            writing.close()
            return
        task = asyncio.get_running_loop().create_task(_write_quietly(writing))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    async def _wait_turn(self, client: Client | None, name: str) -> None:
        if client is None:
            return
        wait_ms = self._brake.reserve(client, name, now_ms=self._clock.now_ms())
        if wait_ms:
            await self._sleep(wait_ms / 1000)

    def _count_failure(self, client: Client | None, name: str) -> None:
        if client is not None:
            self._brake.failed(client, name, now_ms=self._clock.now_ms())

    def _count_success(self, client: Client | None, name: str) -> None:
        if client is not None:
            self._brake.succeeded(client, name)


async def open_authenticator(
    database: Database, clock: Clock, *, cost: PasswordCost = DEFAULT_COST
) -> Authenticator:
    """Return the logins of this process over an open database."""
    return Authenticator(database, clock, Passwords(cost), await installation_key(database))


async def _read_login(
    tx: Transaction, name: str, digest: bytes | None
) -> tuple[Login | None, AppPassword | None]:
    login = await login_store.login_by_name(tx, name)
    app_password = None if digest is None else await login_store.app_password_by_digest(tx, digest)
    return login, app_password


async def _write_quietly(writing: Coroutine[Any, Any, None]) -> None:
    try:
        await writing
    except LoginsBusyError:
        return  # the next login tries again
    except FreeholdError as error:
        log.warning("note about a login not written", reason=error.public)


def _is_valid(login: Login, app_password: AppPassword, use: Use, now_ms: int) -> bool:
    return (
        app_password.login_id == login.id
        and use in app_password.uses
        and (app_password.expires_ms is None or now_ms < app_password.expires_ms)
        and not login.is_disabled
    )


def _identity(login: Login, app_password_id: int | None = None) -> Identity:
    return Identity(login.id, login.name, login.owner_id, login.is_administrator, app_password_id)
