"""A small town of owners, domains and mailboxes for tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.accounts.domains import add_domain, alias_domain, set_domain_disabled
from freehold.accounts.model import HOST_ADMINISTRATOR, Actor
from freehold.accounts.owners import add_owner
from freehold.modules.mail.addresses.access import may_send_as
from freehold.modules.mail.addresses.aliases import add_alias
from freehold.modules.mail.addresses.mailboxes import NewMailbox, add_mailbox
from freehold.modules.mail.addresses.model import ForeignDomain, Mailbox, Resolution
from freehold.modules.mail.addresses.resolve import resolve
from freehold.storage.database import Database

NOW_MS = 1_700_000_000_000


@dataclass(frozen=True, slots=True)
class Town:
    """Its people: `root` administers, `anna` has a.example, `bert` has b.example."""

    database: Database
    root: Actor
    anna: Actor
    bert: Actor

    async def domain(self, name: str, *, owner: str = "anna", separator: str = "+") -> None:
        await self.database.write(
            add_domain, HOST_ADMINISTRATOR, name, owner=owner, separator=separator, now_ms=NOW_MS
        )

    async def domain_alias(self, name: str, target: str) -> None:
        await self.database.write(alias_domain, HOST_ADMINISTRATOR, name, target, now_ms=NOW_MS)

    async def disable_domain(self, name: str) -> None:
        await self.database.write(set_domain_disabled, HOST_ADMINISTRATOR, name, is_disabled=True)

    async def mailbox(
        self,
        address: str,
        *,
        actor: Actor = HOST_ADMINISTRATOR,
        quota_bytes: int | None = None,
        is_exact: bool = False,
    ) -> Mailbox:
        new = NewMailbox(address, None, quota_bytes=quota_bytes, is_exact=is_exact)
        return await self.database.write(add_mailbox, actor, new, now_ms=NOW_MS)

    async def alias(self, address: str, *destinations: str, actor: Actor = HOST_ADMINISTRATOR) -> None:
        await self.database.write(add_alias, actor, address, destinations, now_ms=NOW_MS)

    async def resolve(self, address: str) -> Resolution | ForeignDomain:
        local, _, domain = address.rpartition("@")
        return await self.database.read(resolve, local, domain)

    async def reached(self, address: str) -> Sequence[str]:
        """Return the mailboxes that an address reaches, with their details, then where it leads elsewhere."""
        resolution = await self.resolve(address)
        assert isinstance(resolution, Resolution)
        mailboxes = [f"{to.address}[{to.detail}]" if to.detail else to.address for to in resolution.mailboxes]
        return [*mailboxes, *resolution.forwards]

    async def may_send_as(self, mailbox: Mailbox, address: str) -> bool:
        local, _, domain = address.rpartition("@")
        return await self.database.read(may_send_as, mailbox.id, local, domain)


async def build_town(database: Database) -> Town:
    actors = {}
    for name in ("root", "anna", "bert"):
        owner = await database.write(
            add_owner, HOST_ADMINISTRATOR, name, is_administrator=name == "root", now_ms=NOW_MS
        )
        actors[name] = owner.actor
    town = Town(database, **actors)
    await town.domain("a.example")
    await town.domain("b.example", owner="bert")
    return town
