import random
import subprocess
import sys
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from freehold.errors import InvalidValueError
from freehold.kernel.dns_resolver import DnsResolver, ResolverSettings
from freehold.kernel.resolver import MxHost, NameNotFoundError, NullMxError, ResolverUnavailableError
from tests.nameserver import NameServer, serving

ZONE = """
example.org 300 MX 20 backup.example.org
example.org 300 MX 10 mail.example.org
example.org 300 MX 10 Mail2.example.org
mail.example.org 300 A 192.0.2.1
mail.example.org 300 AAAA 2001:db8::1
mail2.example.org 300 A 192.0.2.2
address-only.example 300 A 192.0.2.3
null.example 300 MX 0 .
text-only.example 300 TXT "no mail here"
alias.example 300 CNAME example.org
loop.example 300 CNAME pool.example
pool.example 300 CNAME loop.example
half.example 300 A 192.0.2.4
broken.example 0 SERVFAIL
silent.example 0 SILENT
""" + "\n".join(f"large.example 300 MX {number} host-number-{number}.large.example" for number in range(100))


class SteadyClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def nameserver() -> AsyncIterator[NameServer]:
    async with serving(ZONE) as server:
        yield server


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()


@pytest.fixture
def resolver(nameserver: NameServer, clock: SteadyClock) -> DnsResolver:
    settings = ResolverSettings(nameservers=(nameserver.address,), query_seconds=0.2, total_seconds=0.5)
    return DnsResolver(settings, shuffle=random.Random(1), steady_seconds=clock)


async def test_mail_hosts_come_in_order_of_preference(resolver: DnsResolver) -> None:
    hosts = await resolver.mx("Example.org.")
    assert sorted(host.host for host in hosts[:2]) == ["mail.example.org", "mail2.example.org"]
    assert hosts[2] == MxHost(20, "backup.example.org")


async def test_equal_hosts_take_turns_at_being_first(resolver: DnsResolver) -> None:
    firsts = {(await resolver.mx("example.org"))[0].host for _ in range(50)}
    assert firsts == {"mail.example.org", "mail2.example.org"}


async def test_a_domain_without_mx_is_its_own_mail_host(resolver: DnsResolver) -> None:
    assert await resolver.mx("address-only.example") == [MxHost(0, "address-only.example", is_implicit=True)]


async def test_a_null_mx_is_told_apart(resolver: DnsResolver) -> None:
    with pytest.raises(NullMxError):
        await resolver.mx("null.example")
    assert not await resolver.has_mail_records("null.example")


@pytest.mark.parametrize("name", ["nowhere.example", "a..example", "x" * 64 + ".example", "", "\xff.example"])
async def test_a_name_that_does_not_exist_is_a_permanent_failure(resolver: DnsResolver, name: str) -> None:
    with pytest.raises(NameNotFoundError):
        await resolver.mx(name)
    with pytest.raises(NameNotFoundError):
        await resolver.addresses(name)
    assert not await resolver.has_mail_records(name)


@pytest.mark.parametrize("name", ["broken.example", "silent.example", "loop.example"])
async def test_no_usable_answer_is_a_temporary_failure(resolver: DnsResolver, name: str) -> None:
    with pytest.raises(ResolverUnavailableError):
        await resolver.mx(name)
    with pytest.raises(ResolverUnavailableError):
        await resolver.addresses(name)
    with pytest.raises(ResolverUnavailableError):
        await resolver.has_mail_records(name)


async def test_addresses_are_of_both_families(resolver: DnsResolver) -> None:
    assert await resolver.addresses("mail.example.org") == [
        ip_address("2001:db8::1"),
        ip_address("192.0.2.1"),
    ]
    with pytest.raises(NameNotFoundError):
        await resolver.addresses("text-only.example")


async def test_mail_records_are_an_mx_or_an_address(resolver: DnsResolver) -> None:
    assert await resolver.has_mail_records("example.org")
    assert await resolver.has_mail_records("address-only.example")
    assert not await resolver.has_mail_records("text-only.example")


async def test_aliases_are_followed(resolver: DnsResolver) -> None:
    assert len(await resolver.mx("alias.example")) == 3


async def test_an_answer_too_large_for_udp_comes_by_tcp_and_is_bounded(
    resolver: DnsResolver, nameserver: NameServer
) -> None:
    assert len(await resolver.mx("large.example")) == 32
    assert nameserver.tcp_questions == 1


async def test_answers_are_kept_for_their_ttl(
    resolver: DnsResolver, nameserver: NameServer, clock: SteadyClock
) -> None:
    for _ in range(3):
        await resolver.mx("example.org")
    assert nameserver.questions["example.org MX"] == 1
    clock.seconds += 301
    await resolver.mx("example.org")
    assert nameserver.questions["example.org MX"] == 2


async def test_missing_names_are_kept_for_as_long_as_their_zone_says(
    resolver: DnsResolver, nameserver: NameServer, clock: SteadyClock
) -> None:
    for _ in range(3):
        assert not await resolver.has_mail_records("nowhere.example")
    assert nameserver.questions["nowhere.example MX"] == 1
    clock.seconds += 61
    nameserver.load("nowhere.example 300 A 192.0.2.9")
    assert await resolver.has_mail_records("nowhere.example")


async def test_failures_are_not_kept(resolver: DnsResolver, nameserver: NameServer) -> None:
    with pytest.raises(ResolverUnavailableError):
        await resolver.mx("broken.example")
    nameserver.load("broken.example 300 MX 10 mail.broken.example")
    assert await resolver.mx("broken.example") == [MxHost(10, "mail.broken.example")]


async def test_the_cache_is_bounded(nameserver: NameServer) -> None:
    resolver = DnsResolver(ResolverSettings(nameservers=(nameserver.address,), max_cached=1))
    await resolver.mx("example.org")
    await resolver.mx("address-only.example")
    await resolver.mx("example.org")
    assert nameserver.questions["example.org MX"] == 2


async def test_a_dead_name_server_is_passed_over(nameserver: NameServer) -> None:
    settings = ResolverSettings(nameservers=("127.0.0.1:1", nameserver.address), query_seconds=0.3)
    assert len(await DnsResolver(settings).mx("example.org")) == 3


async def test_a_name_server_is_named_by_address() -> None:
    with pytest.raises(InvalidValueError):
        await DnsResolver(ResolverSettings(nameservers=("ns.example",))).mx("example.org")


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, freehold.kernel.dns_resolver; sys.exit('dns' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
