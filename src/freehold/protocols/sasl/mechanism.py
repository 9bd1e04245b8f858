"""The interface that all mechanisms share."""

from dataclasses import dataclass
from typing import Protocol

from freehold.errors import FreeholdError

MAX_RESPONSE_OCTETS = 8192
"""Longest response of a client that a mechanism looks at."""


class SaslError(FreeholdError):
    """The exchange failed: malformed, or the proof is wrong. Which one is not told."""

    public = "authentication failed"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Bytes to send to the client, who must respond."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PlainCredentials:
    """What a client claims, still to be checked; `authorization` is empty or whom `login` wants to act as."""

    authorization: str
    login: str
    password: str

    def __repr__(self) -> str:
        return f"PlainCredentials(authorization={self.authorization!r}, login={self.login!r})"


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """Who proved to know the password; `authorization` is empty or whom `login` acts as."""

    authorization: str
    login: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last response was taken.

    PlainCredentials are yet to be checked by the session, a ProvenIdentity is proven.
    """

    outcome: PlainCredentials | ProvenIdentity


@dataclass(frozen=True, slots=True)
class VerifierNeeded:
    """The mechanism knows the login; give what is stored for it to `provide`.

    For an unknown login give a made-up verifier, always the same for that login: the exchange then fails
    at the proof, as with a wrong password, and a stranger cannot tell who exists.
    """

    login: str


Step = Challenge | VerifierNeeded | Finished
"""What follows a response."""


class Mechanism(Protocol):
    """One exchange with one client; not usable again after `Finished` or an error."""

    def step(self, response: bytes) -> Step:
        """Take the next response; an exchange without initial response begins with `b""`.

        Raises:
            SaslError: the exchange failed.
        """
        ...
