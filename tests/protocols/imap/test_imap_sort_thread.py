"""SORT, THREAD and CANCELUPDATE as they are read, and their responses as they are written."""

import pytest

from freehold.protocols.imap import search_response
from freehold.protocols.imap.cancel_update import CancelUpdate
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.partial import PartialRange
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.search_keys import EveryMessage, Numbers, TextContains
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.sequence_set import SAVED_RESULT
from freehold.protocols.imap.sort import Sort, SortField, SortKey
from freehold.protocols.imap.states import State
from freehold.protocols.imap.thread import Thread, ThreadAlgorithm, Threads, thread_chunks


def parse(text: bytes) -> Command:
    command = parse_command(b"a " + text, State.SELECTED)
    assert not isinstance(command, BadCommand), command
    return command


def test_sort() -> None:
    assert parse(b"SORT (SUBJECT reverse date) us-ascii ALL") == Sort(
        b"a",
        uid=False,
        order=(SortKey(SortField.SUBJECT), SortKey(SortField.DATE, reverse=True)),
        key=EveryMessage(),
    )
    assert parse(b"UID SORT RETURN (COUNT PARTIAL 1:9) (DISPLAYFROM) UTF-8 TEXT {2+}\r\n\xc3\xa4") == Sort(
        b"a",
        uid=True,
        order=(SortKey(SortField.DISPLAYFROM),),
        key=TextContains("ä"),
        returns=ReturnOptions(frozenset({SearchReturn.COUNT}), PartialRange(1, 9)),
    )


def test_of_a_field_given_twice_the_first_decides() -> None:
    command = parse(b"SORT (SIZE TO REVERSE SIZE) US-ASCII $")
    assert isinstance(command, Sort)
    assert command.order == (SortKey(SortField.SIZE), SortKey(SortField.TO))
    assert command.key == Numbers(SAVED_RESULT)


@pytest.mark.parametrize("name", [b"ORDEREDSUBJECT", b"REFERENCES", b"REFS"])
def test_thread(name: bytes) -> None:
    expected = Thread(b"a", uid=True, algorithm=ThreadAlgorithm(name), key=EveryMessage())
    assert parse(b"UID THREAD " + name.lower() + b" UTF-8 ALL") == expected


def test_cancel_update() -> None:
    assert parse(b'CANCELUPDATE "x1" "y" "x1"') == CancelUpdate(b"a", (b"x1", b"y"))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"SORT () UTF-8 ALL", Status.BAD),
        (b"SORT (REVERSE) UTF-8 ALL", Status.BAD),
        (b"SORT (REVERSE REVERSE SIZE) UTF-8 ALL", Status.BAD),
        (b"SORT (COLOUR) UTF-8 ALL", Status.BAD),
        (b"SORT (SIZE) UTF-8", Status.BAD),
        (b"SORT (SIZE) KLINGON ALL", Status.NO),
        (b"SORT (" + b" ".join([b"SIZE"] * 65) + b") UTF-8 ALL", Status.BAD),
        (b"THREAD JWZ UTF-8 ALL", Status.BAD),
        (b"THREAD REFERENCES UTF-8", Status.BAD),
        (b"THREAD REFERENCES KLINGON ALL", Status.NO),
        (b"CANCELUPDATE", Status.BAD),
        (b"CANCELUPDATE x", Status.BAD),
    ],
)
def test_what_is_refused(text: bytes, status: Status) -> None:
    event = parse_command(b"a " + text, State.SELECTED)
    assert isinstance(event, BadCommand), event
    assert event.status is status


def test_a_sort_response_has_the_form_of_search() -> None:
    assert b"".join(search_response.search_chunks([5, 3], 9, name=b"SORT")) == b"* SORT 5 3 (MODSEQ 9)\r\n"


def test_a_page_keeps_the_order_of_a_sort() -> None:
    returns = ReturnOptions(partial=PartialRange(2, 4))
    written = search_response.esearch_chunks(b"a", [5, 3, 4, 2, 1], returns, uid=False)
    assert b"".join(written) == b'* ESEARCH (TAG "a") PARTIAL (2:4 3:4,2)\r\n'
    written = search_response.esearch_chunks(b"a", [5], returns, uid=True)
    assert b"".join(written) == b'* ESEARCH (TAG "a") UID PARTIAL (2:4 NIL)\r\n'
    returns = ReturnOptions(partial=PartialRange(1, 2, from_end=True))
    written = search_response.esearch_chunks(b"a", [1, 5, 9], returns, uid=False)
    assert b"".join(written) == b'* ESEARCH (TAG "a") PARTIAL (-1:-2 5,9)\r\n'


def test_what_came_and_went_is_told_with_positions() -> None:
    came = search_response.added_to(b"b", [(1, [2]), (4, [7, 8])], uid=True)
    assert b"".join(came) == b'* ESEARCH (TAG "b") UID ADDTO (1 2 4 7:8)\r\n'
    went = search_response.removed_from(b"b", [(0, [3])], uid=False)
    assert b"".join(went) == b'* ESEARCH (TAG "b") REMOVEFROM (0 3)\r\n'
    assert not list(search_response.added_to(b"b", [], uid=False))


@pytest.mark.parametrize(
    ("roots", "children", "written"),
    [
        ([], {}, b"* THREAD\r\n"),
        ([1], {}, b"* THREAD (1)\r\n"),
        ([3, 1], {3: [2]}, b"* THREAD (3 2)(1)\r\n"),
        ([1], {1: [2, 3], 2: [4]}, b"* THREAD (1 (2 4)(3))\r\n"),
        ([-1], {-1: [1, 2], 2: [3]}, b"* THREAD ((1)(2 3))\r\n"),
        (
            [2, 3],
            {3: [6], 6: [4, 44], 4: [23], 44: [7], 7: [96]},
            b"* THREAD (2)(3 6 (4 23)(44 7 96))\r\n",
        ),
    ],
)
def test_threads_are_written_as_nested_lists(
    roots: list[int], children: dict[int, list[int]], written: bytes
) -> None:
    assert b"".join(thread_chunks(Threads(roots, children))) == written


def test_a_thread_may_be_deeper_than_the_stack() -> None:
    count = 100_000
    written = b"".join(thread_chunks(Threads([1], {number: [number + 1] for number in range(1, count)})))
    assert written == b"* THREAD (" + b" ".join(b"%d" % number for number in range(1, count + 1)) + b")\r\n"


def test_many_threads_are_written_in_pieces() -> None:
    pieces = list(thread_chunks(Threads(range(1, 2001), {})))
    assert len(pieces) > 4
    assert (
        b"".join(pieces) == b"* THREAD " + b"".join(b"(%d)" % number for number in range(1, 2001)) + b"\r\n"
    )
