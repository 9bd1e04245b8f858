"""One question to the name servers, through dnspython's asyncio resolver.

The library is imported with this file, at the first question (see `freehold.kernel.dns_resolver`).
"""

from collections.abc import Sequence
from ipaddress import ip_address

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rdtypes.ANY.MX
import dns.resolver

from freehold.errors import InvalidValueError
from freehold.kernel.dns_cache import DnsAnswer, DnsQuestion, RecordKind
from freehold.kernel.resolver import MxHost, ResolverUnavailableError

DNS_PORT = 53
EDNS_PAYLOAD_BYTES = 1232
"""The UDP size that is not fragmented on usual paths (DNS flag day 2020); larger answers come by TCP."""
MAX_RECORDS = 32
"""What is taken of one answer; no domain needs more hosts, and each may cost delivery attempts."""


def make_resolver(
    nameservers: Sequence[str], query_seconds: float, total_seconds: float
) -> dns.asyncresolver.Resolver:
    """Return a resolver of these servers, or of those in /etc/resolv.conf where none are named.

    Raises:
        ResolverUnavailableError: none are named and the system has none.
    """
    try:
        resolver = dns.asyncresolver.Resolver(configure=not nameservers)
    except dns.resolver.NoResolverConfiguration as error:
        raise ResolverUnavailableError from error
    if nameservers:
        resolver.nameservers = [_nameserver(text) for text in nameservers]
    resolver.timeout = query_seconds
    resolver.lifetime = total_seconds
    resolver.use_edns(0, 0, EDNS_PAYLOAD_BYTES)
    return resolver


async def ask(resolver: dns.asyncresolver.Resolver, question: DnsQuestion) -> DnsAnswer:
    """Return what the servers say; chains of CNAME longer than the library's 16 count as unavailable.

    Raises:
        ResolverUnavailableError: no server gave a usable answer in time.
    """
    try:
        name = dns.name.from_text(question.name)
    except (dns.exception.DNSException, UnicodeError):
        return DnsAnswer(exists=False)
    if name == dns.name.root:
        return DnsAnswer(exists=False)
    try:
        answer = await resolver.resolve(name, question.kind.value, raise_on_no_answer=False, search=False)
        return _answer(question.kind, answer)
    except dns.resolver.NXDOMAIN as error:
        return DnsAnswer(exists=False, ttl_seconds=_negative_ttl(error.kwargs["responses"].get(name)))
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise ResolverUnavailableError from error


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    """Parse an address with or without a port."""
    host, port = text, str(DNS_PORT)
    if text.startswith("[") and "]" in text:
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return dns.nameserver.Do53Nameserver(str(ip_address(host)), int(port))
    except ValueError:
        raise InvalidValueError(f"not a name server's address: {text}") from None


def _answer(kind: RecordKind, answer: dns.resolver.Answer) -> DnsAnswer:
    ttl = float(answer.chaining_result.minimum_ttl)
    records = list(answer.rrset or ())[:MAX_RECORDS]
    if kind is RecordKind.MX:
        hosts = tuple(_mx_host(record) for record in records if isinstance(record, dns.rdtypes.ANY.MX.MX))
        return DnsAnswer(exists=True, mx_hosts=hosts, ttl_seconds=ttl)
    addresses = tuple(ip_address(record.to_text()) for record in records)
    return DnsAnswer(exists=True, addresses=addresses, ttl_seconds=ttl)


def _mx_host(record: dns.rdtypes.ANY.MX.MX) -> MxHost:
    """Return the host; a null MX (RFC 7505) has the empty name."""
    return MxHost(int(record.preference), record.exchange.to_text(omit_final_dot=True).lower().rstrip("."))


def _negative_ttl(response: object) -> float:
    """Return for how long the answer's SOA lets "no such name" be kept (RFC 2308 §5); 0 without one."""
    if not isinstance(response, dns.message.QueryMessage):
        return 0.0
    try:
        return float(response.resolve_chaining().minimum_ttl)
    except dns.exception.DNSException:
        return 0.0
