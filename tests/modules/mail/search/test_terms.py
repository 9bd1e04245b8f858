"""Terms and segments: what the index finds is what looking through the text finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.modules.mail.search.segment import (
    FieldIndex,
    Segment,
    build_segment,
    find_part,
    merge_segments,
)
from freehold.modules.mail.search.terms import LONG_RUN, Field, has_all, runs_of, terms_of, words_of
from freehold.protocols.mime.fold import fold

ALPHABET = "abcXYZ019 .-_@ß é\u0301ſİıΣςσｶﾞガか\u3099日本語々ー・한각가नमस्ते\u00ad\u200dﬁ½\n"
texts = st.text(alphabet=ALPHABET, max_size=120) | st.text(max_size=60)


@st.composite
def text_and_piece(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and often a substring of it."""
    text = draw(texts | st.text(alphabet="ab1", min_size=LONG_RUN, max_size=4 * LONG_RUN))
    start = draw(st.integers(0, max(0, len(text) - 1)))
    piece = text[start : start + draw(st.integers(1, 60))]
    return text, draw(st.sampled_from([piece, piece.swapcase(), draw(texts)]))


@settings(max_examples=500)
@given(text_and_piece())
def test_a_text_that_is_there_has_all_its_parts_and_an_exact_one_is_there(case: tuple[str, str]) -> None:
    text, piece = case
    runs = runs_of(piece)
    is_there = fold(piece) in fold(text)
    if is_there:
        assert has_all(terms_of(text), runs)
    if runs.is_exact:
        assert has_all(terms_of(text), runs) == is_there


@given(texts)
def test_terms_are_short_and_hold_no_line_feed(text: str) -> None:
    for term in terms_of(text):
        assert term
        assert b"\n" not in term
        assert len(term.decode()) <= LONG_RUN


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("STRASSE", "straße"),
        ("Jorg", "JÖRG"),
        ("cafe", "cafe\u0301"),
        ("ΟΔΟΣ", "οδος"),
        ("ガ", "ｶﾞ"),
        ("fi", "ﬁ"),
        ("cooperate", "co\u00adoperate"),
        ("Zażółć"[:1], "z"),
    ],
)
def test_spellings_that_readers_take_for_one_fold_to_one(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize(("left", "right"), [("か", "が"), ("가", "각"), ("नम", "नमी")])
def test_letters_that_differ_stay_different(left: str, right: str) -> None:
    assert fold(left) != fold(right)


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("the meeting is tomorrow", "tomorrow meetings", True),
        ("Rechnungen für Müller", "muller rechnung", True),
        ("invoice", "voice", False),
        ("invoice", "invoice storm", False),
        ("東京都の天気", "東京の天気", False),
        ("東京の天気", "東京", True),
    ],
)
def test_fuzzy_words_are_found_by_their_stems_in_any_order(text: str, wanted: str, found: bool) -> None:
    assert has_all(terms_of(text), words_of(wanted)) is found


documents = st.lists(
    st.dictionaries(
        st.sampled_from(Field), st.sets(st.sampled_from([b"ab", b"b", b"abc", b"ca"]), max_size=4)
    ),
    max_size=12,
)


def found_in(segment: Segment, field: Field, part: bytes) -> set[int]:
    index = segment.fields.get(field, FieldIndex(b"\n\n", b"\0\0\0\0\0\0\0\0"))
    return {segment.documents[number] for number in find_part(index, part, len(segment.documents))}


@given(
    documents,
    st.sampled_from([b"a", b"b", b"ab", b"bc", b"\nab", b"\nb", b"b\n", b"\nb\n", b"x"]),
    st.integers(1, 5),
)
def test_a_segment_finds_what_is_in_it_also_when_it_is_merged_and_some_are_dead(
    documents: list[dict[Field, set[bytes]]], part: bytes, size: int
) -> None:
    numbered = list(enumerate(documents, start=100))
    pieces = [build_segment(numbered[start : start + size]) for start in range(0, len(numbered), size)]
    dead = {blob_id for blob_id, _ in numbered if blob_id % 3 == 0}
    for segment, gone in ((build_segment(numbered), set()), (merge_segments(pieces, dead), dead)):
        for field in Field:
            assert found_in(segment, field, part) == {
                blob_id
                for blob_id, terms in numbered
                if blob_id not in gone and part in b"\n" + b"\n".join(terms.get(field, ())) + b"\n"
            }


def test_a_line_end_in_what_is_looked_for_is_no_end_of_a_term() -> None:
    assert not runs_of("\na").is_exact
    assert not runs_of("\n日本\n").is_exact
    assert runs_of("日本").is_exact
