from ipaddress import ip_address, ip_network

from freehold.kernel.limits import ConnectionLimits, plain_address


def test_connections_from_one_ipv4_address_are_bounded() -> None:
    limits = ConnectionLimits(10, 2)
    assert limits.admit(ip_address("192.0.2.1"))
    assert limits.admit(ip_address("192.0.2.1"))
    assert not limits.admit(ip_address("192.0.2.1"))
    assert limits.admit(ip_address("192.0.2.2"))


def test_an_ipv6_customer_is_one_network_of_64_bits() -> None:
    limits = ConnectionLimits(10, 1)
    assert limits.admit(ip_address("2001:db8:0:1::1"))
    assert not limits.admit(ip_address("2001:db8:0:1:ffff::2"))
    assert limits.admit(ip_address("2001:db8:0:2::1"))


def test_an_ended_connection_makes_room() -> None:
    limits = ConnectionLimits(1, 1)
    assert limits.admit(ip_address("192.0.2.1"))
    limits.release(ip_address("192.0.2.1"))
    assert limits.admit(ip_address("192.0.2.1"))
    assert limits.total == 1


def test_an_exempt_network_is_bounded_only_in_all() -> None:
    limits = ConnectionLimits(3, 1, (ip_network("192.0.2.0/24"),))
    assert [limits.admit(ip_address("192.0.2.1")) for _ in range(4)] == [True, True, True, False]


def test_a_proxied_connection_is_counted_for_its_client() -> None:
    limits = ConnectionLimits(10, 1, (ip_network("127.0.0.0/8"),))
    proxy, client = ip_address("127.0.0.1"), ip_address("192.0.2.1")
    assert limits.admit(proxy)
    assert limits.move(proxy, client)
    assert limits.admit(proxy)
    assert not limits.move(proxy, client)
    assert limits.total == 2
    limits.release(proxy)
    limits.release(client)
    assert limits.total == 0


def test_an_ipv4_mapped_address_is_the_ipv4_address() -> None:
    assert plain_address(ip_address("::ffff:192.0.2.1")) == ip_address("192.0.2.1")
    assert plain_address(ip_address("2001:db8::1")) == ip_address("2001:db8::1")
