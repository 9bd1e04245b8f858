"""Destinations as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import InvalidValueError
from freehold.modules.mail.addresses.destinations import parse_destination, split_command
from freehold.modules.mail.addresses.model import Destination
from freehold.modules.mail.model import TargetKind


@pytest.mark.parametrize(
    ("typed", "destination"),
    [
        (" Ann@Example.ORG ", Destination(TargetKind.ADDRESS, "Ann@example.org")),
        ("a@bücher.example", Destination(TargetKind.ADDRESS, "a@xn--bcher-kva.example")),
        ('"a:b"@example.org', Destination(TargetKind.ADDRESS, '"a:b"@example.org')),
        ("maildir:/srv//mail/", Destination(TargetKind.MAILDIR, "/srv/mail/")),
        ("MBOX:/srv/mail box", Destination(TargetKind.MBOX, "/srv/mail box")),
        ("program:/bin/sort  -u", Destination(TargetKind.PROGRAM, "/bin/sort -u")),
        ("discard:", Destination(TargetKind.DISCARD, "")),
    ],
)
def test_each_kind_is_understood(typed: str, destination: Destination) -> None:
    assert parse_destination(typed, may_use_host=True) == destination
    assert parse_destination(str(destination), may_use_host=True) == destination


def test_a_command_is_split_without_a_shell() -> None:
    destination = parse_destination("""program:/bin/echo 'a b' "$HOME;rm" *""", may_use_host=True)
    assert split_command(destination.value) == ["/bin/echo", "a b", "$HOME;rm", "*"]


@given(
    st.one_of(
        st.text(),
        st.sampled_from(("maildir:", "mbox:", "program:", "discard:")).flatmap(
            lambda word: st.text().map(lambda rest: word + rest)
        ),
    )
)
def test_any_text_is_a_destination_that_reads_back_or_the_one_error(text: str) -> None:
    try:
        destination = parse_destination(text, may_use_host=True)
    except InvalidValueError:
        return
    assert parse_destination(str(destination), may_use_host=True) == destination
