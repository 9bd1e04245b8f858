"""What is remembered stays within its bound, and what was used last stays the longest."""

from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.imap.selected.recollection import ENTRY_BYTES, Recollection


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    known = Recollection[str, int](3 * ENTRY_BYTES)
    for name, value in (("a", 1), ("b", 2), ("c", 3)):
        known.keep(name, value, 0)
    assert known.find("a") == 1
    known.keep("d", 4, 0)
    assert [known.find(name) for name in "abcd"] == [1, None, 3, 4]


def test_what_is_too_large_by_itself_replaces_nothing_but_what_it_stood_for() -> None:
    known = Recollection[str, int](2 * ENTRY_BYTES)
    known.keep("a", 1, 0)
    known.keep("b", 2, 0)
    known.keep("b", 3, 2 * ENTRY_BYTES)
    assert (known.find("a"), known.find("b"), known.used_bytes) == (1, None, ENTRY_BYTES)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5000))))
def test_it_never_takes_more_than_its_bound(kept: list[tuple[int, int]]) -> None:
    known = Recollection[int, int](4 * ENTRY_BYTES)
    sizes: dict[int, int] = {}
    for key, size in kept:
        known.keep(key, size, size)
        sizes[key] = size
        there = [each for each in sizes if known.find(each) is not None]
        assert known.used_bytes == sum(sizes[each] + ENTRY_BYTES for each in there) <= 4 * ENTRY_BYTES
        assert (known.find(key) == size) == (size <= 3 * ENTRY_BYTES)
