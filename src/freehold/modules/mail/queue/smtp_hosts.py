"""Where a domain's mail is taken to: its mail exchangers in order, each with all its addresses."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from freehold.kernel.resolver import (
    MxHost,
    NameNotFoundError,
    NullMxError,
    Resolver,
    ResolverUnavailableError,
)
from freehold.modules.mail.queue.outcome import Outcome, deferred, failed
from freehold.protocols.smtp.domain import InvalidDomainError, to_ascii

MAX_ADDRESSES = 20
"""Addresses tried in one attempt; the rest of a very long list waits for the next."""


@dataclass(frozen=True, slots=True)
class MailHost:
    """One place to try: a host's name and one of its addresses."""

    name: str
    address: IPv4Address | IPv6Address


class NoHostError(Exception):
    """There is nowhere to take the mail to; `outcome` says whether that may change."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


async def mail_hosts(resolver: Resolver, domain: str, own_hostname: str) -> AsyncGenerator[MailHost, None]:
    """Yield what to try for `domain`, the most preferred first (RFC 5321 §5.1).

    Raises:
        NoHostError: the domain takes no mail, does not exist, leads back to us, or cannot be looked up.
    """
    if domain.startswith("["):
        yield MailHost(domain, _literal_address(domain))
        return
    count = 0
    problem: Outcome | None = None
    for host in await _exchangers(resolver, domain, own_hostname):
        try:
            addresses = await resolver.addresses(host.host)
        except NameNotFoundError:
            problem = problem or failed(f"mail host {host.host} of {domain} has no address", "5.4.4")
            continue
        except ResolverUnavailableError:
            problem = deferred(f"mail host {host.host} of {domain} cannot be looked up", "4.4.3")
            continue
        for address in addresses:
            if count < MAX_ADDRESSES:
                count += 1
                yield MailHost(host.host, address)
    if not count and problem is not None:
        raise NoHostError(problem)


async def _exchangers(resolver: Resolver, domain: str, own_hostname: str) -> list[MxHost]:
    try:
        hosts = await resolver.mx(to_ascii(domain))
    except InvalidDomainError as error:
        raise NoHostError(failed(f"{domain} is not a domain name", "5.1.2")) from error
    except NullMxError as error:
        raise NoHostError(failed(f"{domain} takes no mail", "5.1.10")) from error
    except NameNotFoundError as error:
        raise NoHostError(failed(f"{domain} does not exist", "5.1.2")) from error
    except ResolverUnavailableError as error:
        raise NoHostError(deferred(f"{domain} cannot be looked up now", "4.4.3")) from error
    ours = [host.preference for host in hosts if host.host.lower() == own_hostname.lower()]
    if ours:  # a backup for others: only better exchangers than ourselves lead on (RFC 5321 §5.1)
        hosts = [host for host in hosts if host.preference < min(ours)]
    if not hosts:
        raise NoHostError(leads_back(domain))
    return hosts


def leads_back(domain: str) -> Outcome:
    """Return the outcome for a domain whose mail is taken to this server, which does not know it."""
    return failed(f"{domain} names this server as its mail host, but is not a domain of ours", "5.4.6")


def _literal_address(domain: str) -> IPv4Address | IPv6Address:
    text = domain.strip("[]")
    try:
        return ip_address(text[5:] if text.lower().startswith("ipv6:") else text)
    except ValueError as error:
        raise NoHostError(failed(f"{domain} is not an address", "5.1.2")) from error
