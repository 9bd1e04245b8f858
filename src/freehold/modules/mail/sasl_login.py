"""A SASL exchange that ends in knowing who it is, for every protocol that people log in with."""

import base64
import secrets
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from freehold.accounts.authenticate import Authenticator, ScramAttempt
from freehold.accounts.errors import LoginFailedError
from freehold.accounts.model import Identity, Use
from freehold.protocols.sasl.mechanism import (
    Challenge,
    Mechanism,
    PlainCredentials,
    ProvenIdentity,
    SaslError,
    VerifierNeeded,
)
from freehold.protocols.sasl.plain import LoginMechanism, PlainMechanism
from freehold.protocols.sasl.scram_server import ScramSha256Mechanism

MECHANISMS: Final = ("SCRAM-SHA-256", "PLAIN", "LOGIN")
"""What is offered, the strongest first; the last two only where nobody can listen."""
NONCE_OCTETS: Final = 24


class SaslLogin:
    """One exchange with one client; of no use after it ended or raised."""

    __slots__ = ("_attempt", "_authenticator", "_client", "_mechanism", "_use")

    def __init__(
        self, authenticator: Authenticator, use: Use, mechanism: str, client: IPv4Address | IPv6Address
    ) -> None:
        self._authenticator = authenticator
        self._use = use
        self._client = client
        self._attempt: ScramAttempt | None = None
        self._mechanism: Mechanism | ScramSha256Mechanism = _new_mechanism(mechanism)

    async def step(self, response: bytes) -> bytes | Identity:
        """Take a response (b"" where none came with the command); returns a challenge, or who it is.

        Raises:
            LoginFailedError: the exchange or the credentials are wrong; which one is not told.
            LoginsBusyError: too many logins at the moment, or this client guesses.
        """
        try:
            step = self._mechanism.step(response)
            if isinstance(step, VerifierNeeded):
                step = await self._provide(step.login)
        except SaslError:
            if self._attempt is not None:
                self._authenticator.scram_failed(self._attempt)
            raise LoginFailedError from None
        if isinstance(step, Challenge):
            return step.data
        return await self._finish(step.outcome)

    async def _provide(self, login: str) -> Challenge:
        assert isinstance(self._mechanism, ScramSha256Mechanism)
        self._attempt = await self._authenticator.scram_attempt(login=login, client=self._client)
        return self._mechanism.provide(self._attempt.verifier)

    async def _finish(self, outcome: PlainCredentials | ProvenIdentity) -> Identity:
        if isinstance(outcome, PlainCredentials):
            identity = await self._authenticator.authenticate(
                login=outcome.login, password=outcome.password, use=self._use, client=self._client
            )
        elif self._attempt is not None:
            identity = await self._authenticator.scram_proven(self._attempt)
        else:
            raise LoginFailedError
        own_names = {"", identity.login.casefold(), outcome.login.casefold()}
        if outcome.authorization.casefold() not in own_names:
            raise LoginFailedError  # nobody acts for somebody else
        return identity


def _new_mechanism(name: str) -> Mechanism | ScramSha256Mechanism:
    match name:
        case "PLAIN":
            return PlainMechanism()
        case "LOGIN":
            return LoginMechanism()
        case _:
            return ScramSha256Mechanism(base64.b64encode(secrets.token_bytes(NONCE_OCTETS)).decode())
