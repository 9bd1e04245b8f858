"""Guessing gets slower."""

from ipaddress import ip_address

import pytest

from freehold.accounts.brake import FORGET_MS, GuessBrake
from freehold.accounts.errors import LoginsBusyError

CLIENT = ip_address("192.0.2.1")


def fail(brake: GuessBrake, times: int, now_ms: int = 0) -> None:
    for _ in range(times):
        brake.failed(CLIENT, "ann", now_ms=now_ms)


def test_a_few_mistakes_cost_nothing() -> None:
    brake = GuessBrake()
    fail(brake, 2)
    assert brake.reserve(CLIENT, "ann", now_ms=0) == 0


def test_the_delay_doubles() -> None:
    brake = GuessBrake()
    fail(brake, 3)
    assert brake.reserve(CLIENT, "ann", now_ms=0) == 1000
    brake.failed(CLIENT, "ann", now_ms=1000)
    assert brake.reserve(CLIENT, "ann", now_ms=1000) == 2000


def test_attempts_at_once_wait_one_behind_the_other_and_then_are_refused() -> None:
    brake = GuessBrake()
    fail(brake, 5)
    assert [brake.reserve(CLIENT, "ann", now_ms=0) for _ in range(2)] == [4000, 8000]
    with pytest.raises(LoginsBusyError):
        brake.reserve(CLIENT, "ann", now_ms=0)


def test_other_networks_and_other_logins_are_not_slowed() -> None:
    brake = GuessBrake()
    fail(brake, 9)
    assert brake.reserve(ip_address("192.0.2.2"), "ann", now_ms=0) == 0
    assert brake.reserve(CLIENT, "bob", now_ms=0) == 0


def test_the_addresses_of_one_ipv6_network_count_together() -> None:
    brake = GuessBrake()
    for host in range(3):
        brake.failed(ip_address(f"2001:db8::{host}"), "ann", now_ms=0)
    assert brake.reserve(ip_address("2001:db8::ffff"), "ann", now_ms=0) == 1000
    assert brake.reserve(ip_address("2001:db8:0:1::1"), "ann", now_ms=0) == 0


def test_an_ipv4_client_counts_the_same_over_an_ipv6_socket() -> None:
    brake = GuessBrake()
    fail(brake, 3)
    assert brake.reserve(ip_address("::ffff:192.0.2.1"), "ann", now_ms=0) == 1000


def test_success_and_time_make_it_forget() -> None:
    brake = GuessBrake()
    fail(brake, 4)
    brake.succeeded(CLIENT, "ann")
    assert brake.reserve(CLIENT, "ann", now_ms=0) == 0
    fail(brake, 4)
    assert brake.reserve(CLIENT, "ann", now_ms=FORGET_MS + 1) == 0
    fail(brake, 2, now_ms=FORGET_MS + 1)
    assert brake.reserve(CLIENT, "ann", now_ms=FORGET_MS + 1) == 0


def test_the_delay_has_a_ceiling() -> None:
    brake = GuessBrake()
    fail(brake, 200)
    assert brake.reserve(CLIENT, "ann", now_ms=25_000) == 5_000


def test_memory_is_bounded() -> None:
    brake = GuessBrake(max_pairs=10)
    for number in range(100):
        brake.failed(CLIENT, f"login {number}", now_ms=0)
    assert len(brake) == 10
