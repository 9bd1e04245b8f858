"""Answers `Resolver` questions from name servers, through a bounded cache.

The DNS library is imported at the first question, so that starting up stays quick. Answers are kept
for their TTL, "no such name" too (RFC 2308); failures are not kept.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from freehold.kernel.dns_cache import DnsAnswer, DnsCache, DnsQuestion, RecordKind
from freehold.kernel.resolver import MxHost, NameNotFoundError, NullMxError, ResolverUnavailableError

if TYPE_CHECKING:
    import dns.asyncresolver


@dataclass(frozen=True, slots=True)
class ResolverSettings:
    """Which name servers are asked and how."""

    nameservers: tuple[str, ...] = ()
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`, asked in this order;
    without any, the servers of /etc/resolv.conf."""
    query_seconds: float = 3.0
    """How long one server may take for one answer."""
    total_seconds: float = 12.0
    """How long one question may take, over all servers and attempts."""
    max_cached: int = 10_000
    max_cache_seconds: float = 3600.0
    max_negative_seconds: float = 300.0
    max_concurrent: int = 100
    """Questions under way at a time; further ones wait their turn."""


class DnsResolver:
    """A `Resolver` that asks name servers. It holds no sockets between questions."""

    def __init__(
        self,
        settings: ResolverSettings,
        *,
        shuffle: random.Random | None = None,
        steady_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._random = shuffle or random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._steady_seconds = steady_seconds
        self._cache = DnsCache(settings.max_cached, settings.max_cache_seconds, settings.max_negative_seconds)
        self._turns = asyncio.Semaphore(settings.max_concurrent)
        self._library: dns.asyncresolver.Resolver | None = None

    async def mx(self, domain: str) -> list[MxHost]:
        """Return the domain's mail hosts in the order to try them; see `Resolver.mx`."""
        answer = await self._ask(domain, RecordKind.MX)
        if not answer.exists:
            raise NameNotFoundError
        if not answer.mx_hosts:
            return [MxHost(0, _plain(domain), is_implicit=True)]
        hosts = [one for one in answer.mx_hosts if one.host]
        if not hosts:
            raise NullMxError
        self._random.shuffle(hosts)
        return sorted(hosts, key=lambda one: one.preference)

    async def addresses(self, host: str) -> list[IPv4Address | IPv6Address]:
        """Return the host's addresses, IPv6 first; see `Resolver.addresses`."""
        answers = await asyncio.gather(
            self._ask(host, RecordKind.AAAA), self._ask(host, RecordKind.A), return_exceptions=True
        )
        found: list[IPv4Address | IPv6Address] = []
        failure: BaseException | None = None
        for answer in answers:
            if isinstance(answer, BaseException):
                failure = answer
            else:
                found += answer.addresses
        if found:
            return found
        raise failure or NameNotFoundError

    async def has_mail_records(self, domain: str) -> bool:
        """Tell whether the domain has an MX that is not null, or an address."""
        answer = await self._ask(domain, RecordKind.MX)
        if answer.mx_hosts:
            return any(one.host for one in answer.mx_hosts)
        if not answer.exists:
            return False
        try:
            return bool(await self.addresses(domain))
        except NameNotFoundError:
            return False

    async def _ask(self, name: str, kind: RecordKind) -> DnsAnswer:
        question = DnsQuestion(_plain(name), kind)
        known = self._cache.get(question, self._steady_seconds())
        if known is not None:
            return known
        async with self._turns:
            known = self._cache.get(question, self._steady_seconds())
            if known is None:
                known = await self._ask_servers(question)
                self._cache.put(question, known, self._steady_seconds())
        return known

    async def _ask_servers(self, question: DnsQuestion) -> DnsAnswer:
        from freehold.kernel import dns_query  # noqa: PLC0415 - the library takes 0.1 s to import

        settings = self._settings
        if self._library is None:
            self._library = dns_query.make_resolver(
                settings.nameservers, settings.query_seconds, settings.total_seconds
            )
        try:
            async with asyncio.timeout(settings.total_seconds + settings.query_seconds):
                return await dns_query.ask(self._library, question)
        except TimeoutError as error:
            raise ResolverUnavailableError from error


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")
