"""Message numbers and UIDs: the compact map behaves as a list of UIDs does."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.folders.change import uid_ranges
from freehold.modules.mail.folders.ranges import merge_ranges, subtract_ranges
from freehold.modules.mail.imap.selected.uid_map import UidMap
from freehold.protocols.imap.sequence_set import SequenceSet

uid_sets = st.sets(st.integers(1, 60), max_size=40)


def flat(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [uid for first, last in ranges for uid in range(first, last + 1)]


@given(uid_sets, uid_sets, uid_sets)
def test_the_map_behaves_as_a_list(there: set[int], gone: set[int], added: set[int]) -> None:
    uids = sorted(there)
    compact = UidMap(uid_ranges(uids))
    removed = compact.remove(uid_ranges(sorted(gone)))
    assert [index for each in removed for index in each] == [
        index for index, uid in enumerate(uids) if uid in gone
    ]
    uids = [uid for uid in uids if uid not in gone]
    new = sorted(uid + 60 for uid in added)
    compact.extend(uid_ranges(new))
    uids += new
    assert len(compact) == len(uids)
    assert list(compact.uids(0, len(uids))) == uids
    assert [compact.uid_at(index) for index in range(len(uids))] == uids
    assert compact.last_uid == (uids[-1] if uids else 0)
    for uid in range(1, 123):
        assert compact.index_of(uid) == (uids.index(uid) if uid in uids else -1)
        assert compact.rank(uid) == sum(each < uid for each in uids)


@given(uid_sets, st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)), min_size=1, max_size=5))
def test_sets_find_the_same_messages_as_in_a_list(there: set[int], pairs: list[tuple[int, int]]) -> None:
    uids = sorted(there)
    compact = UidMap(uid_ranges(uids))
    wanted = SequenceSet(tuple((low, high) for low, high in pairs if low))
    found = [index for each in compact.positions(wanted, uid=True) for index in each]
    assert [uids[index] for index in found] == wanted.uids_in(uids)


@given(uid_sets, uid_sets)
def test_ranges_subtract_and_merge_as_sets_do(left: set[int], right: set[int]) -> None:
    ranges, gone = uid_ranges(sorted(left)), uid_ranges(sorted(right))
    assert flat(subtract_ranges(ranges, gone)) == sorted(left - right)
    assert flat(merge_ranges([*gone, *ranges])) == sorted(left | right)


def test_a_folder_without_gaps_costs_the_same_however_large() -> None:
    large = UidMap([(1, 1_000_000)])
    assert (len(large), large.uid_at(999_999), large.index_of(5)) == (1_000_000, 1_000_000, 4)
    assert list(large.uid_ranges(10, 20)) == [(11, 20)]
