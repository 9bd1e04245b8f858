"""PLAIN and LOGIN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.sasl.mechanism import Challenge, Finished, PlainCredentials, SaslError
from freehold.protocols.sasl.plain import LoginMechanism, PlainMechanism, encode_plain


def test_plain_takes_three_fields_in_one_response() -> None:
    assert PlainMechanism().step(b"\0tim\0tanstaaftanstaaf") == Finished(
        PlainCredentials("", "tim", "tanstaaftanstaaf")
    )
    assert PlainMechanism().step(b"Ursel\0Kurt\0xipj3plmq") == Finished(
        PlainCredentials("Ursel", "Kurt", "xipj3plmq")
    )


def test_plain_asks_once_when_nothing_came_with_the_command() -> None:
    mechanism = PlainMechanism()
    assert mechanism.step(b"") == Challenge(b"")
    with pytest.raises(SaslError):
        mechanism.step(b"")


@pytest.mark.parametrize(
    "response",
    [
        b"a",
        b"\0a",
        b"\0a\0",
        b"\0\0b",
        b"\0a\0b\0c",
        b"\0\xff\0b",
        b"\0a\0\x07",
        b"\0a\0" + b"x" * 1025,
        b"x" * 9000,
    ],
)
def test_a_malformed_plain_response_is_refused(response: bytes) -> None:
    with pytest.raises(SaslError):
        PlainMechanism().step(response)


def test_login_asks_for_name_and_password() -> None:
    mechanism = LoginMechanism()
    assert mechanism.step(b"") == Challenge(b"Username:")
    assert mechanism.step(b"alice") == Challenge(b"Password:")
    assert mechanism.step("geheim\u00ad".encode()) == Finished(PlainCredentials("", "alice", "geheim"))


def test_login_takes_the_name_as_initial_response() -> None:
    mechanism = LoginMechanism()
    assert mechanism.step(b"alice") == Challenge(b"Password:")
    with pytest.raises(SaslError):
        mechanism.step(b"")


def test_login_without_a_name_fails() -> None:
    mechanism = LoginMechanism()
    mechanism.step(b"")
    with pytest.raises(SaslError):
        mechanism.step(b"")


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Finished(PlainCredentials("", "alice", "hunter2")))


FIELDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


@given(FIELDS, FIELDS, FIELDS)
def test_plain_survives_writing_and_reading(authorization: str, login: str, password: str) -> None:
    credentials = PlainCredentials(authorization, login, password)
    assert PlainMechanism().step(encode_plain(credentials)) == Finished(credentials)


@given(st.lists(st.binary(max_size=30), max_size=3))
def test_any_responses_raise_nothing_but_a_sasl_error(responses: list[bytes]) -> None:
    for mechanism in (PlainMechanism(), LoginMechanism()):
        try:
            for response in responses:
                mechanism.step(response)
        except SaslError:
            continue
