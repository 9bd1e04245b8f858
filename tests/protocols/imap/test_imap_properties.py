"""Whatever the octets and however they are cut: the same events, and no exception but ProtocolError."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzz_imap import check
from tests.fuzz.words import dictionary

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus" / "imap").iterdir())

WORDS = dictionary("imap")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: str(path.name))
def test_the_corpus_gives_the_same_events_however_it_is_cut(path: Path) -> None:
    check(path.read_bytes())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(b" ".join))
def test_words_of_the_grammar_give_the_same_events_however_they_are_cut(data: bytes) -> None:
    check(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(b"".join))
def test_words_without_spaces_give_the_same_events_however_they_are_cut(data: bytes) -> None:
    check(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_octets_raise_nothing_but_a_protocol_error(data: bytes) -> None:
    check(data)
