"""Where mail for an address goes: the decision behind each RCPT.

In order: the exact address, the address without its subaddress (the longest that exists), the domain's
catch-all, the domain that this one is an alias of; at last, postmaster and abuse reach the domain's
owner (RFC 2142). Addresses among the targets are resolved in turn.

The graph's nodes are rows of `address`, so an address that leads to itself by whatever spelling
(`ann` to `ann+copy`, a catch-all to an unknown name) ends there; any longer way back is a loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from freehold.modules.mail.addresses import routes
from freehold.modules.mail.addresses.model import (
    ForeignDomain,
    MailAddress,
    MailboxTarget,
    Resolution,
)
from freehold.modules.mail.addresses.names import to_mail_address
from freehold.modules.mail.addresses.routes import DomainRoute, Route
from freehold.modules.mail.errors import AddressLoopError, MailboxDisabledError, UnknownAddressError
from freehold.modules.mail.model import TargetKind
from freehold.storage.database import Transaction

MAX_DEPTH = 20
"""Addresses one behind the other at the most, the first one included."""
MAX_EXPANDED = 1_000
"""Addresses that are looked up for one recipient at the most; more is treated as a loop is."""
MAX_DOMAIN_HOPS = 4
"""Alias domains one behind the other; none can be made with more than one."""
ROLE_LOCAL_PARTS = frozenset({"postmaster", "abuse"})
"""They exist in every domain (RFC 2142 §4, RFC 5321 §4.5.1)."""


async def resolve(tx: Transaction, local: str, domain: str) -> Resolution | ForeignDomain:
    """Return what mail for `local@domain` leads to; letter case and U-labels do not matter.

    Raises:
        UnknownAddressError: there is no such address, or nothing that it leads to exists any longer.
        MailboxDisabledError: the domain, or every mailbox that it leads to, is switched off.
        AddressLoopError: the address leads in a circle, too deep or too wide.
    """
    return await _resolve(tx, to_mail_address(local, domain), with_catch_all=True)


async def leads_to(tx: Transaction, address: MailAddress, mailbox_id: int) -> bool:
    """Tell whether an address reaches a mailbox otherwise than through a catch-all.

    Raises:
        UnknownAddressError, MailboxDisabledError, AddressLoopError: as `resolve`.
    """
    resolution = await _resolve(tx, address, with_catch_all=False)
    return isinstance(resolution, Resolution) and any(
        target.mailbox_id == mailbox_id for target in resolution.mailboxes
    )


async def _resolve(
    tx: Transaction, address: MailAddress, *, with_catch_all: bool
) -> Resolution | ForeignDomain:
    match = await _match(tx, address, with_catch_all=with_catch_all)
    if match is None:
        return ForeignDomain(address.domain)
    if match.is_disabled:
        raise MailboxDisabledError
    plain = _plain_mailbox(match)
    if plain is not None:
        return plain
    expansion = _Expansion(with_catch_all=with_catch_all)
    await expansion.expand(tx, match, path=(), detail="")
    return expansion.result()


class _Match(msgspec.Struct, frozen=True):
    """The address row that a recipient matched, or a mailbox that a role address falls back to.

    `address_id` is negative for such a mailbox, None where nothing matched.
    """

    address_id: int | None
    routes: tuple[Route, ...] = ()
    detail: str = ""
    is_disabled: bool = False


_NOTHING = _Match(None)
_DISABLED = _Match(None, is_disabled=True)


def _plain_mailbox(match: _Match) -> Resolution | None:
    """Return the resolution of an address with one working mailbox and nothing else: nearly all of them."""
    if len(match.routes) != 1:
        return None
    route = match.routes[0]
    if route.mailbox is None or route.is_disabled:
        return None
    mailbox = route.mailbox
    if match.detail:
        mailbox = MailboxTarget(mailbox.mailbox_id, mailbox.inbox_id, mailbox.address, match.detail)
    return Resolution(mailboxes=(mailbox,))


async def _match(tx: Transaction, address: MailAddress, *, with_catch_all: bool) -> _Match | None:
    """Find the row for an address; None if its domain is not ours."""
    domain = await routes.exact(tx, address.domain, address.local)
    hops = 0
    while domain is not None:
        if domain.is_disabled:
            return _DISABLED
        match = await _match_in_domain(tx, domain, address.local, with_catch_all=with_catch_all)
        if match is not None:
            return match
        if domain.target is None:
            return await _match_role(tx, domain, address.local)
        hops += 1
        if hops > MAX_DOMAIN_HOPS:
            raise AddressLoopError
        domain = await routes.exact(tx, domain.target, address.local)
    return None if hops == 0 else _NOTHING


async def _match_in_domain(
    tx: Transaction, domain: DomainRoute, local: str, *, with_catch_all: bool
) -> _Match | None:
    if domain.address_id is not None:
        return _Match(domain.address_id, domain.routes)
    if domain.separator and domain.separator in local:
        match = await _match_subaddress(tx, domain, local)
        if match is not None:
            return match
    if with_catch_all:
        catch_all = (await routes.by_local_parts(tx, domain.id, ("",))).get("")
        if catch_all is not None:
            return _Match(catch_all.address_id, catch_all.routes)
    return None


async def _match_subaddress(tx: Transaction, domain: DomainRoute, local: str) -> _Match | None:
    """Find the longest address that is the local part up to a separator and takes subaddresses."""
    candidates = list(_bases(local, domain.separator))
    found = await routes.by_local_parts(tx, domain.id, candidates)
    for base in candidates:
        row = found.get(base)
        if row is not None and not any(route.is_exact for route in row.routes):
            return _Match(row.address_id, row.routes, detail=local[len(base) + len(domain.separator) :])
    return None


def _bases(local: str, separator: str) -> Iterator[str]:
    """Yield the local part up to each separator, longest first."""
    at = local.rfind(separator)
    while at > 0:
        yield local[:at]
        at = local.rfind(separator, 0, at)


async def _match_role(tx: Transaction, domain: DomainRoute, local: str) -> _Match:
    if local not in ROLE_LOCAL_PARTS:
        return _NOTHING
    mailbox = await routes.first_mailbox(tx, domain.owner_id)
    if mailbox is None:
        return _NOTHING
    return _Match(-mailbox.mailbox_id, (Route(TargetKind.MAILBOX, "", mailbox),))


@dataclass(slots=True)
class _Expansion:
    """One recipient's way through the graph of addresses, depth first.

    `heights` holds, for each address that is done, how many addresses the longest way from it has; so
    no address is expanded twice although several lead to it, and too deep a way is found all the same.
    """

    with_catch_all: bool
    heights: dict[int, int] = field(default_factory=dict)
    mailboxes: dict[int, MailboxTarget] = field(default_factory=dict)
    others: dict[tuple[TargetKind, str], None] = field(default_factory=dict)
    met_disabled: bool = False
    looked_up: int = 0

    async def expand(self, tx: Transaction, match: _Match, *, path: tuple[int, ...], detail: str) -> int:
        """Add what an address leads to; returns the height of its longest way."""
        if match.address_id is None:
            self.met_disabled = self.met_disabled or match.is_disabled
            return 0
        if path and path[-1] == match.address_id:
            return 0
        if match.address_id in path:
            raise AddressLoopError
        height = self.heights.get(match.address_id)
        if height is None:
            height = await self._expand_routes(tx, match, (*path, match.address_id), match.detail or detail)
            self.heights[match.address_id] = height
        if len(path) + height > MAX_DEPTH:
            raise AddressLoopError
        return height

    async def _expand_routes(self, tx: Transaction, match: _Match, path: tuple[int, ...], detail: str) -> int:
        if len(path) > MAX_DEPTH:
            raise AddressLoopError
        highest = 0
        for route in match.routes:
            if route.mailbox is not None:
                self._add_mailbox(route, route.mailbox, detail)
            elif route.kind is TargetKind.ADDRESS:
                highest = max(highest, await self._expand_address(tx, route.value, path, detail))
            else:
                self.others[route.kind, route.value] = None
        return 1 + highest

    async def _expand_address(self, tx: Transaction, value: str, path: tuple[int, ...], detail: str) -> int:
        self.looked_up += 1
        if self.looked_up > MAX_EXPANDED:
            raise AddressLoopError
        local, _, domain = value.rpartition("@")
        match = await _match(tx, to_mail_address(local, domain), with_catch_all=self.with_catch_all)
        if match is None:
            self.others[TargetKind.ADDRESS, value] = None
            return 0
        return await self.expand(tx, match, path=path, detail=detail)

    def _add_mailbox(self, route: Route, mailbox: MailboxTarget, detail: str) -> None:
        if route.is_disabled:
            self.met_disabled = True
        elif mailbox.mailbox_id not in self.mailboxes:
            self.mailboxes[mailbox.mailbox_id] = MailboxTarget(
                mailbox.mailbox_id, mailbox.inbox_id, mailbox.address, detail
            )

    def result(self) -> Resolution:
        """Return what was found.

        Raises:
            MailboxDisabledError: nothing but what is switched off.
            UnknownAddressError: nothing at all.
        """
        if not self.mailboxes and not self.others:
            raise MailboxDisabledError if self.met_disabled else UnknownAddressError
        return Resolution(
            mailboxes=tuple(self.mailboxes.values()),
            forwards=self._values(TargetKind.ADDRESS),
            maildirs=self._values(TargetKind.MAILDIR),
            mboxes=self._values(TargetKind.MBOX),
            programs=self._values(TargetKind.PROGRAM),
            discard=bool(self._values(TargetKind.DISCARD)),
        )

    def _values(self, kind: TargetKind) -> tuple[str, ...]:
        return tuple(value for other, value in self.others if other is kind)
