"""Hashing passwords off the loop, and which are taken."""

import asyncio
from dataclasses import replace

import pytest

from freehold.accounts.errors import LoginsBusyError, WeakPasswordError
from freehold.accounts.password_rules import check_new_password, prepare_password
from freehold.accounts.passwords import DEFAULT_COST, Passwords
from freehold.protocols.sasl.scram import ScramVerifier
from tests.accounts.people import CHEAP


async def test_a_password_is_stored_as_argon2id_and_a_scram_verifier(passwords: Passwords) -> None:
    made = await passwords.make("correct horse")
    assert made.password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert made.scram_verifier is not None
    verifier = ScramVerifier.parse(made.scram_verifier)
    assert verifier == ScramVerifier.derive("correct horse", verifier.salt, 4096)
    assert (await passwords.verify(made.password_hash, "correct horse")).is_right
    assert not (await passwords.verify(made.password_hash, "correct horsE")).is_right


def test_the_default_cost_is_19_mib_and_two_passes() -> None:
    assert (DEFAULT_COST.memory_kib, DEFAULT_COST.passes, DEFAULT_COST.lanes) == (19456, 2, 1)


async def test_the_same_password_is_stored_differently_each_time(passwords: Passwords) -> None:
    assert await passwords.make("correct horse") != await passwords.make("correct horse")


async def test_a_hash_of_another_cost_is_right_but_outdated(passwords: Passwords) -> None:
    made = await passwords.make("correct horse")
    stronger = Passwords(replace(CHEAP, passes=2))
    try:
        verification = await stronger.verify(made.password_hash, "correct horse")
    finally:
        stronger.close()
    assert verification.is_right
    assert verification.is_outdated


async def test_no_hash_no_password_and_a_broken_hash_are_all_wrong(passwords: Passwords) -> None:
    made = await passwords.make("correct horse")
    assert not (await passwords.verify(None, "correct horse")).is_right
    assert not (await passwords.verify(made.password_hash, None)).is_right
    assert not (await passwords.verify("$argon2id$broken", "correct horse")).is_right
    assert not (await passwords.verify(None, "no password")).is_right


async def test_a_password_beyond_the_waiting_line_is_refused_for_now() -> None:
    short = Passwords(CHEAP, threads=1, max_waiting=2)
    try:
        results = await asyncio.gather(
            *(short.verify(None, "correct horse") for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(result, LoginsBusyError) for result in results) == 3
        assert not (await short.verify(None, "correct horse")).is_right
    finally:
        short.close()


async def test_a_password_that_scram_cannot_carry_has_no_verifier(passwords: Passwords) -> None:
    made = await passwords.make("correct 🐎 horse")
    assert made.scram_verifier is None
    assert (await passwords.verify(made.password_hash, "correct 🐎 horse")).is_right


@pytest.mark.parametrize(
    "password", ["", "1234567", "x" * 1025, "é" * 513, "12345678\n", "1234567\x00", "\ud800" * 8]
)
def test_a_bad_new_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        check_new_password(password)


@pytest.mark.parametrize(
    "password", ["12345678", "x" * 1024, "é" * 512, "contraseña", "пароль123", "  spaces  "]
)
def test_a_good_new_password_is_taken(password: str) -> None:
    assert check_new_password(password) == password


def test_one_password_is_typed_in_several_ways() -> None:
    assert prepare_password("e\u0301t\u00e9\u3000x") == "\u00e9t\u00e9 x"
