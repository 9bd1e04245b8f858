"""A first domain, owner and two mailboxes, so that a fresh installation can be tried at once."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from freehold.accounts.domains import add_domain
from freehold.accounts.model import HOST_ADMINISTRATOR, Credentials
from freehold.accounts.owners import add_owner, list_owners
from freehold.accounts.passwords import Passwords
from freehold.kernel.config import LOCAL_PORT_OFFSET
from freehold.kernel.module import Runtime
from freehold.modules.mail.addresses.mailboxes import NewMailbox, add_mailbox
from freehold.storage.database import Database, Transaction

FIRST_OWNER: Final = "admin"
FIRST_DOMAIN: Final = "example.test"
"""A domain that nobody can own (RFC 2606 §2)."""
FIRST_LOCAL_PARTS: Final = ("ann", "bob")

PASSWORD_GROUPS: Final = 5
"""Groups of two syllables: 61 random bits in 24 characters that can be read out."""

_CONSONANTS: Final = "bdfghkmnprstvz"
_VOWELS: Final = "aeiou"


@dataclass(frozen=True, slots=True)
class FirstMailbox:
    """A mailbox that was made, and its password, which is shown once and not kept."""

    address: str
    password: str


async def make_first_mailboxes(
    database: Database, passwords: Passwords, *, now_ms: int
) -> tuple[FirstMailbox, ...]:
    """Make them in an empty database; returns nothing, and changes nothing, when there is an owner."""
    if await database.read(list_owners, HOST_ADMINISTRATOR):
        return ()
    mailboxes = tuple(
        FirstMailbox(f"{local_part}@{FIRST_DOMAIN}", readable_password()) for local_part in FIRST_LOCAL_PARTS
    )
    credentials = [await passwords.make(mailbox.password) for mailbox in mailboxes]
    return await database.write(_make, mailboxes, credentials, now_ms)


async def first_start(runtime: Runtime) -> Sequence[str]:
    """Make the first mailboxes; returns the lines that tell how to try them, none if there is an owner."""
    passwords = Passwords()
    try:
        mailboxes = await make_first_mailboxes(runtime.database, passwords, now_ms=runtime.clock.now_ms())
    finally:
        passwords.close()
    return [*_welcome(mailboxes)] if mailboxes else []


def _welcome(mailboxes: tuple[FirstMailbox, ...]) -> Iterator[str]:
    ann = mailboxes[0]
    yield ""
    yield "Two mailboxes to try, shown this once:"
    for mailbox in mailboxes:
        yield f"  {mailbox.address}  password {mailbox.password}"
    yield ""
    yield "Send a message, then read it:"
    yield (
        r"  printf 'Subject: Hello\n\nHi Ann\n' | curl --crlf -T - --mail-from me@example.org"
        f" --mail-rcpt {ann.address} smtp://127.0.0.1:{25 + LOCAL_PORT_OFFSET}"
    )
    yield (
        f"  curl -u {ann.address}:{ann.password}"
        f" 'imap://127.0.0.1:{143 + LOCAL_PORT_OFFSET}/INBOX;MAILINDEX=1'"
    )
    yield ""


def readable_password() -> str:
    """Return a random password such as `kuvo-tase-rimi-bodu-fela`."""
    return "-".join(_syllable() + _syllable() for _ in range(PASSWORD_GROUPS))


async def _make(
    tx: Transaction, mailboxes: tuple[FirstMailbox, ...], credentials: list[Credentials], now_ms: int
) -> tuple[FirstMailbox, ...]:
    if await list_owners(tx, HOST_ADMINISTRATOR):
        return ()
    await add_owner(tx, HOST_ADMINISTRATOR, FIRST_OWNER, is_administrator=True, now_ms=now_ms)
    await add_domain(tx, HOST_ADMINISTRATOR, FIRST_DOMAIN, now_ms=now_ms)
    for mailbox, stored in zip(mailboxes, credentials, strict=True):
        await add_mailbox(tx, HOST_ADMINISTRATOR, NewMailbox(mailbox.address, stored), now_ms=now_ms)
    return mailboxes


def _syllable() -> str:
    return secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS)
