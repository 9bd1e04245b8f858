"""What mail asks of the DNS: the hosts that take a domain's mail, and their addresses.

Consumers depend on `Resolver`; `freehold.kernel.dns_resolver` answers from name servers.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from freehold.errors import FreeholdError, NotFoundError


class NameNotFoundError(NotFoundError):
    """The name does not exist, or has no records of the kind that was asked for; asking again is no use."""

    public = "no such host name"


class NullMxError(NameNotFoundError):
    """The domain says that it takes no mail (RFC 7505)."""

    public = "the domain does not accept mail"


class ResolverUnavailableError(FreeholdError):
    """No name server gave a usable answer; a later attempt may succeed."""

    public = "name service is unavailable"
    temporary = True


@dataclass(frozen=True, slots=True)
class MxHost:
    """A host that takes mail for a domain; lower preferences are tried first (RFC 5321 §5.1).

    `is_implicit` says that the domain has no MX record and its own addresses are to be used.
    """

    preference: int
    host: str
    is_implicit: bool = False


class Resolver(Protocol):
    """Answers what delivery needs to know of the DNS. Names are ASCII, without the final dot."""

    async def mx(self, domain: str) -> list[MxHost]:
        """Return the domain's mail hosts in the order to try them, equals in random order; at least one.

        Without MX records that is the domain itself, whether or not it has addresses (RFC 5321 §5.1).

        Raises:
            NullMxError: the domain takes no mail (RFC 7505).
            NameNotFoundError: the domain does not exist.
            ResolverUnavailableError: there is no answer for now.
        """

    async def addresses(self, host: str) -> list[IPv4Address | IPv6Address]:
        """Return the host's addresses, IPv6 and IPv4; at least one.

        Raises:
            NameNotFoundError: the host does not exist or has no address.
            ResolverUnavailableError: there is no answer for now.
        """

    async def has_mail_records(self, domain: str) -> bool:
        """Tell whether mail to the domain could be delivered at all: it has an MX, not null, or an address.

        Raises:
            ResolverUnavailableError: there is no answer for now.
        """
