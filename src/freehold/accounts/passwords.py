"""Makes and checks stored passwords: argon2id and SCRAM, off the loop, with a bounded waiting line."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from freehold.accounts.errors import LoginsBusyError
from freehold.accounts.model import Credentials
from freehold.accounts.password_rules import check_new_password
from freehold.accounts.scram import make_stored_verifier

MAX_WAITING: Final = 64
"""Checks that run or wait at most: two threads at 20 to 40 ms each reach the last in about a second."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What one guess costs a thief of the database (docs/decisions/0010-password-costs.md)."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1
    scram_iterations: int = 65_536
    """Seen to work with clients built on Cyrus SASL, which refuse 100,000."""


DEFAULT_COST: Final = PasswordCost()


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a password is right; `is_outdated`: its hash was made at another cost than today's."""

    is_right: bool
    is_outdated: bool = False


WRONG: Final = Verification(is_right=False)


class Passwords:
    """The password work of one process; `close` when the loop ends."""

    def __init__(
        self, cost: PasswordCost = DEFAULT_COST, *, threads: int | None = None, max_waiting: int = MAX_WAITING
    ) -> None:
        self.cost = cost
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)
        self._executor = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="password")
        self._max_waiting = max_waiting
        self._waiting = 0
        self._decoy: str | None = None

    async def make(self, password: str) -> Credentials:
        """Return what is stored of a new password.

        Raises:
            WeakPasswordError: it is not acceptable.
            LoginsBusyError: too much password work waits already.
        """
        return await self._run(self._make, check_new_password(password))

    async def remake(self, prepared: str) -> Credentials:
        """Return what is stored of a password that is in use already, at today's cost.

        Raises:
            LoginsBusyError: too much password work waits already.
        """
        return await self._run(self._make, prepared)

    async def verify(self, stored_hash: str | None, prepared: str | None) -> Verification:
        """Check a password by `prepare_password`; None on either side is wrong, and takes as long.

        Raises:
            LoginsBusyError: too much password work waits already.
        """
        return await self._run(self._verify, stored_hash, prepared)

    def close(self) -> None:
        """Drop what waits; what runs ends by itself within a fraction of a second."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., T], *arguments: str | None) -> T:
        if self._waiting >= self._max_waiting:
            raise LoginsBusyError
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)
        future.add_done_callback(self._finished)
        return await future

    def _finished(self, _future: "asyncio.Future[T]") -> None:
        self._waiting -= 1

    def _make(self, prepared: str) -> Credentials:
        return Credentials(
            self._hasher.hash(prepared), make_stored_verifier(prepared, self.cost.scram_iterations)
        )

    def _verify(self, stored_hash: str | None, prepared: str | None) -> Verification:
        if stored_hash is None or prepared is None:
            self._matches(self._decoy_hash(), prepared or "")
            return WRONG
        if not self._matches(stored_hash, prepared):
            return WRONG
        return Verification(is_right=True, is_outdated=self._hasher.check_needs_rehash(stored_hash))

    def _matches(self, stored_hash: str, prepared: str) -> bool:
        try:
            return self._hasher.verify(stored_hash, prepared)
        except (VerificationError, InvalidHashError):
            return False

    def _decoy_hash(self) -> str:
        """Return a hash to check against when there is none, so that unknown logins take as long."""
        if self._decoy is None:
            self._decoy = self._hasher.hash("no password")
        return self._decoy
