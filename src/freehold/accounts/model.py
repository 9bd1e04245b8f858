"""Values of owners, domains and logins."""

from dataclasses import dataclass
from enum import Enum


class Use(Enum):
    """What a login is for; an app password is valid for named ones only."""

    IMAP = "imap"
    POP3 = "pop3"
    SUBMISSION = "submission"
    DAV = "dav"
    PANEL = "panel"


@dataclass(frozen=True, slots=True)
class Actor:
    """The owner on whose behalf something is asked; `owner_id` is None for the host's administrator."""

    owner_id: int | None
    is_administrator: bool


HOST_ADMINISTRATOR = Actor(owner_id=None, is_administrator=True)
"""Whoever runs commands on the host: they can write the database in any case."""


@dataclass(frozen=True, slots=True)
class OwnerLimits:
    """What an owner may have in all; None is no limit."""

    max_domains: int | None = None
    max_mailboxes: int | None = None
    max_storage_bytes: int | None = None
    max_messages_per_day: int | None = None


UNLIMITED = OwnerLimits()


@dataclass(frozen=True, slots=True)
class Owner:
    """A person (or a group) that owns domains and mailboxes."""

    id: int
    name: str
    is_administrator: bool
    limits: OwnerLimits
    created_ms: int

    @property
    def actor(self) -> Actor:
        """Return this owner as the one who asks."""
        return Actor(self.id, self.is_administrator)


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of ours. `name` is lower case A-labels; `target` is set for an alias of a whole domain."""

    id: int
    name: str
    owner_id: int
    owner: str
    target: str | None
    separator: str
    is_disabled: bool
    created_ms: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is stored of a password: an argon2id hash and, where SCRAM-SHA-256 can carry it, a verifier."""

    password_hash: str
    scram_verifier: str | None


@dataclass(frozen=True, slots=True)
class Login:
    """A login as stored. `password_hash` None: only app passwords work."""

    id: int
    name: str
    owner_id: int
    password_hash: str | None
    scram_verifier: str | None
    is_disabled: bool
    is_administrator: bool


@dataclass(frozen=True, slots=True)
class AppPassword:
    """An app password as shown; its secret was shown once and is not kept."""

    id: int
    login_id: int
    label: str
    uses: frozenset[Use]
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in. `app_password_id` is None when it was by the main password or SCRAM."""

    login_id: int
    login: str
    owner_id: int
    is_administrator: bool
    app_password_id: int | None = None

    @property
    def actor(self) -> Actor:
        """Return the owner on whose behalf this login asks."""
        return Actor(self.owner_id, self.is_administrator)
