"""Proofs that are remembered for a while."""

from freehold.accounts.model import Use
from freehold.accounts.proven import PROVEN_MS, ProvenLogins


def test_a_proof_counts_for_its_time_only() -> None:
    proven = ProvenLogins()
    fingerprint = proven.fingerprint(1, Use.IMAP, "secret", "$hash")
    assert not proven.knows(fingerprint, now_ms=0)
    proven.remember(fingerprint, now_ms=0)
    assert proven.knows(fingerprint, now_ms=PROVEN_MS - 1)
    assert not proven.knows(fingerprint, now_ms=PROVEN_MS)
    assert len(proven) == 0


def test_anything_that_differs_is_another_proof() -> None:
    proven = ProvenLogins()
    proven.remember(proven.fingerprint(1, Use.IMAP, "secret", "$hash"), now_ms=0)
    for fingerprint in (
        proven.fingerprint(2, Use.IMAP, "secret", "$hash"),
        proven.fingerprint(1, Use.POP3, "secret", "$hash"),
        proven.fingerprint(1, Use.IMAP, "Secret", "$hash"),
        proven.fingerprint(1, Use.IMAP, "secret", "$changed"),
        proven.fingerprint(1, Use.IMAP, "hsecret", "$has"),
    ):
        assert not proven.knows(fingerprint, now_ms=0)


def test_two_processes_have_different_fingerprints() -> None:
    first, second = ProvenLogins(), ProvenLogins()
    assert first.fingerprint(1, Use.IMAP, "a", "b") != second.fingerprint(1, Use.IMAP, "a", "b")


def test_the_least_recently_used_goes_first() -> None:
    proven = ProvenLogins(max_entries=2)
    one, two, three = (proven.fingerprint(number, Use.IMAP, "a", "b") for number in (1, 2, 3))
    proven.remember(one, now_ms=0)
    proven.remember(two, now_ms=0)
    assert proven.knows(one, now_ms=1)
    proven.remember(three, now_ms=1)
    assert [proven.knows(fingerprint, now_ms=1) for fingerprint in (one, two, three)] == [True, False, True]
