"""Ids grow with time, and their text sorts as they do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.errors import InvalidValueError
from freehold.storage.ids import EPOCH_MS, IdMaker, id_from_text, id_text

IDS = st.integers(min_value=0, max_value=2**63 - 1)


def test_an_id_holds_the_moment_the_node_and_a_sequence() -> None:
    maker = IdMaker(5, lambda: EPOCH_MS + 1000)

    assert maker.next() == 1000 << 22 | 5 << 12
    assert maker.next() == 1000 << 22 | 5 << 12 | 1


def test_ids_grow_when_the_clock_steps_back_and_when_a_millisecond_is_full() -> None:
    moments = iter([2000] * 5000 + [1000] * 5000 + [3000] * 10)
    maker = IdMaker(1023, lambda: EPOCH_MS + next(moments))

    ids = [maker.next() for _ in range(10_010)]

    assert ids == sorted(set(ids))
    assert {number >> 12 & 1023 for number in ids} == {1023}
    assert ids[-1] >> 22 == 3000


def test_ids_grow_when_the_clock_is_before_the_epoch() -> None:
    maker = IdMaker(0, lambda: 0)

    ids = [maker.next() for _ in range(3)]

    assert ids == sorted(set(ids))
    assert ids[0] > 0


@pytest.mark.parametrize("node", [-1, 1024])
def test_a_node_has_ten_bits(node: int) -> None:
    with pytest.raises(ValueError, match="node"):
        IdMaker(node, lambda: EPOCH_MS)


def test_the_text_of_an_id_is_thirteen_letters_and_digits() -> None:
    assert id_text(0) == "0000000000000"
    assert id_text(31) == "000000000000z"
    assert id_text(2**63 - 1) == "7zzzzzzzzzzzz"


@given(IDS, IDS)
def test_texts_come_back_and_sort_as_their_ids(first: int, second: int) -> None:
    assert id_from_text(id_text(first)) == first
    assert id_from_text(id_text(first).upper()) == first
    assert (id_text(first) < id_text(second)) == (first < second)


@pytest.mark.parametrize(
    "text", ["", "0", "00000000000000", "000000000000u", "000000000000é", "8000000000000", "000000000000\n"]
)
def test_other_text_is_no_id(text: str) -> None:
    with pytest.raises(InvalidValueError):
        id_from_text(text)


@given(st.text(max_size=16))
def test_any_text_is_an_id_or_an_invalid_value(text: str) -> None:
    try:
        number = id_from_text(text)
    except InvalidValueError:
        return
    assert id_text(number) == text.lower()
