"""SCRAM-SHA-256, against the vectors of RFC 7677 and against itself."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.protocols.sasl.mechanism import (
    Challenge,
    Finished,
    ProvenIdentity,
    SaslError,
    VerifierNeeded,
)
from freehold.protocols.sasl.scram import InvalidVerifierError, ScramVerifier
from freehold.protocols.sasl.scram_client import ScramSha256Client
from freehold.protocols.sasl.scram_server import ScramSha256Mechanism

SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
VERIFIER = ScramVerifier.derive("pencil", SALT, 4096)
CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def challenged(first: bytes = CLIENT_FIRST, verifier: ScramVerifier = VERIFIER) -> ScramSha256Mechanism:
    mechanism = ScramSha256Mechanism(SERVER_NONCE)
    assert isinstance(mechanism.step(first), VerifierNeeded)
    mechanism.provide(verifier)
    return mechanism


def test_the_server_speaks_as_in_rfc_7677() -> None:
    mechanism = ScramSha256Mechanism(SERVER_NONCE)
    assert mechanism.step(b"") == Challenge(b"")
    assert mechanism.step(CLIENT_FIRST) == VerifierNeeded("user")
    assert mechanism.provide(VERIFIER) == Challenge(SERVER_FIRST)
    assert mechanism.step(CLIENT_FINAL) == Challenge(SERVER_FINAL)
    assert mechanism.step(b"") == Finished(ProvenIdentity("", "user"))
    with pytest.raises(SaslError):
        mechanism.step(b"")


def test_the_client_speaks_as_in_rfc_7677() -> None:
    client = ScramSha256Client("user", "pencil", CLIENT_NONCE)
    assert client.first() == CLIENT_FIRST
    assert client.final(SERVER_FIRST) == CLIENT_FINAL
    client.check(SERVER_FINAL)
    with pytest.raises(SaslError):
        client.check(SERVER_FINAL.replace(b"6", b"7"))


def test_a_wrong_password_and_an_unknown_login_fail_at_the_same_step_in_the_same_way() -> None:
    fake = ScramVerifier.derive("nobody knows", b"made-up salt", 4096)
    failures = []
    for password, verifier in (("wrong", VERIFIER), ("pencil", fake)):
        client = ScramSha256Client("user", password, CLIENT_NONCE)
        mechanism = ScramSha256Mechanism(SERVER_NONCE)
        mechanism.step(client.first())
        challenge = mechanism.provide(verifier)
        with pytest.raises(SaslError) as caught:
            mechanism.step(client.final(challenge.data))
        failures.append((type(caught.value), caught.value.public))
    assert failures[0] == failures[1]


def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    client = ScramSha256Client("user", "pencil", CLIENT_NONCE)
    client.final(SERVER_FIRST)
    with pytest.raises(SaslError):
        client.check(b"v=" + base64.b64encode(bytes(32)))
    with pytest.raises(SaslError):
        ScramSha256Client("user", "pencil", CLIENT_NONCE).check(b"v=")


@pytest.mark.parametrize(
    "first",
    [
        b"x",
        b"p=tls-unique,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        b"n,,m=ext,n=user,r=rOprNGfwEbeRWgbNEkqO",
        b"n,,n=,r=rOprNGfwEbeRWgbNEkqO",
        b"n,,n=us=3er,r=rOprNGfwEbeRWgbNEkqO",
        b"n,,n=user,r=short",
        b"n,,n=user,r=" + b"x" * 513,
        b"n,,n=user,r=white space in it",
        b"n,,n=\xff,r=rOprNGfwEbeRWgbNEkqO",
        b"n,,n=us\x00er,r=rOprNGfwEbeRWgbNEkqO",
        b"n,,n=us\x07er,r=rOprNGfwEbeRWgbNEkqO",
        b"n" * 9000,
    ],
)
def test_a_malformed_first_message_is_refused(first: bytes) -> None:
    with pytest.raises(SaslError):
        ScramSha256Mechanism(SERVER_NONCE).step(first)


@pytest.mark.parametrize(
    "final",
    [
        b"",
        CLIENT_FINAL.replace(b"biws", b"eSws"),
        CLIENT_FINAL.replace(b"k0,", b"k1,"),
        CLIENT_FINAL.replace(b"dHzb", b"dHza"),
        CLIENT_FINAL[:-4],
        CLIENT_FINAL.replace(b",p=", b",q="),
        CLIENT_FINAL.replace(b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", b"YQ=="),
    ],
)
def test_a_wrong_final_message_ends_the_exchange(final: bytes) -> None:
    mechanism = challenged()
    with pytest.raises(SaslError):
        mechanism.step(final)
    with pytest.raises(SaslError):
        mechanism.step(CLIENT_FINAL)


def test_the_verifier_comes_once_and_only_when_asked_for() -> None:
    with pytest.raises(SaslError):
        ScramSha256Mechanism(SERVER_NONCE).provide(VERIFIER)
    with pytest.raises(SaslError):
        challenged().provide(VERIFIER)


def test_escaped_names_and_who_one_acts_as_are_decoded() -> None:
    mechanism = ScramSha256Mechanism(SERVER_NONCE)
    assert mechanism.step(b"y,a=al=2Cice,n=b=3Dob,r=rOprNGfwEbeRWgbNEkqO") == VerifierNeeded("b=ob")


def test_a_verifier_is_one_line_that_can_be_read_again() -> None:
    line = VERIFIER.serialize()
    assert line == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert ScramVerifier.parse(line) == VERIFIER
    assert "stored" not in repr(VERIFIER)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$a:b",
        VERIFIER.serialize().replace("4096", "4095"),
        VERIFIER.serialize().replace("4096", "99999999"),
        VERIFIER.serialize().replace("W22ZaJ0SNY7soEsUEjb6gQ==", "W22Z"),
        VERIFIER.serialize() + "\n",
    ],
)
def test_a_line_that_is_no_verifier_is_refused(line: str) -> None:
    with pytest.raises(InvalidVerifierError):
        ScramVerifier.parse(line)


@pytest.mark.parametrize("iterations", [b"1", b"4095", b"1000001", b"99999999", b"0"])
def test_a_client_does_not_do_too_few_or_too_many_rounds(iterations: bytes) -> None:
    client = ScramSha256Client("user", "pencil", CLIENT_NONCE)
    with pytest.raises(SaslError):
        client.final(SERVER_FIRST.replace(b"4096", iterations))


def test_a_client_wants_its_nonce_back() -> None:
    with pytest.raises(SaslError):
        ScramSha256Client("user", "pencil", "another nonce").final(SERVER_FIRST)


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(TEXTS, TEXTS, st.binary(min_size=8, max_size=32))
def test_any_login_and_password_can_be_proven(login: str, password: str, salt: bytes) -> None:
    client = ScramSha256Client(login, password, CLIENT_NONCE)
    mechanism = ScramSha256Mechanism(SERVER_NONCE)
    assert mechanism.step(client.first()) == VerifierNeeded(login)
    challenge = mechanism.provide(ScramVerifier.derive(password, salt, 4096))
    proven = mechanism.step(client.final(challenge.data))
    assert isinstance(proven, Challenge)
    client.check(proven.data)
    assert mechanism.step(b"") == Finished(ProvenIdentity("", login))


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_raise_nothing_but_a_sasl_error(noise: bytes, is_second: bool) -> None:
    mechanism = challenged() if is_second else ScramSha256Mechanism(SERVER_NONCE)
    for message in (noise, b"n,," + noise, b"c=biws," + noise):
        try:
            mechanism.step(message)
        except SaslError:
            return
