"""What goes back, octet by octet."""

import pytest

from freehold.protocols.imap import data_response, response, response_code, search_response
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.status import StatusItem

ALL_RETURNS = ReturnOptions(frozenset(SearchReturn))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (response.ok(b"a1", "done"), b"a1 OK done\r\n"),
        (response.ok(b"a", "open", response_code.READ_WRITE), b"a OK [READ-WRITE] open\r\n"),
        (response.tagged(b"a", Status.NO, "full", response_code.OVERQUOTA), b"a NO [OVERQUOTA] full\r\n"),
        (response.bad(b"a", "what?"), b"a BAD what?\r\n"),
        (response.tagged(b"a", Status.OK, "two\r\nlines ä"), b"a OK two??lines ?\r\n"),
        (response.ok(b"a", ""), b"a OK -\r\n"),
        (
            response.untagged_ok("hi", response_code.capability(["IMAP4rev1", "IDLE"])),
            b"* OK [CAPABILITY IMAP4rev1 IDLE] hi\r\n",
        ),
        (response.untagged_no("mind"), b"* NO mind\r\n"),
        (response.bye("gone", response_code.UNAVAILABLE), b"* BYE [UNAVAILABLE] gone\r\n"),
        (response.continuation(""), b"+ \r\n"),
        (response.challenge(b"abc"), b"+ YWJj\r\n"),
    ],
)
def test_status_responses(written: bytes, expected: bytes) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (response_code.append_uid(38505, [3955, 3956]), b"APPENDUID 38505 3955:3956"),
        (response_code.copy_uid(1, [304, 319, 320], [3956, 3957, 3958]), b"COPYUID 1 304,319:320 3956:3958"),
        (response_code.permanent_flags(["\\Seen"], keywords=True), b"PERMANENTFLAGS (\\Seen \\*)"),
        (response_code.permanent_flags([], keywords=False), b"PERMANENTFLAGS ()"),
        (response_code.modified([7, 9]), b"MODIFIED 7,9"),
        (response_code.uid_next(5), b"UIDNEXT 5"),
        (response_code.uid_validity(5), b"UIDVALIDITY 5"),
        (response_code.unseen(5), b"UNSEEN 5"),
        (response_code.highest_mod_sequence(5), b"HIGHESTMODSEQ 5"),
    ],
)
def test_response_codes(written: bytes, expected: bytes) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (data_response.capability(["IMAP4rev1"]), b"* CAPABILITY IMAP4rev1\r\n"),
        (data_response.enabled([]), b"* ENABLED\r\n"),
        (data_response.enabled(["QRESYNC"]), b"* ENABLED QRESYNC\r\n"),
        (data_response.identify({}), b"* ID NIL\r\n"),
        (data_response.identify({"name": "Freehold", "os": None}), b'* ID ("name" "Freehold" "os" NIL)\r\n'),
        (data_response.namespace([""]), b'* NAMESPACE (("" "/")) NIL NIL\r\n'),
        (data_response.list_line(["\\HasNoChildren"], "a b"), b'* LIST (\\HasNoChildren) "/" "a b"\r\n'),
        (data_response.list_line([], "pä"), b'* LIST () "/" p&AOQ-\r\n'),
        (data_response.list_line([], "pä", utf8=True), b'* LIST () "/" "p\xc3\xa4"\r\n'),
        (
            data_response.list_line([], "x", child_info=["SUBSCRIBED"]),
            b'* LIST () "/" x ("CHILDINFO" ("SUBSCRIBED"))\r\n',
        ),
        (data_response.list_delimiter(), b'* LIST (\\Noselect) "/" ""\r\n'),
        (data_response.lsub_line(["\\Noselect"], "x"), b'* LSUB (\\Noselect) "/" x\r\n'),
        (
            data_response.status_line("INBOX", {StatusItem.MESSAGES: 3, StatusItem.APPENDLIMIT: None}),
            b"* STATUS INBOX (MESSAGES 3 APPENDLIMIT NIL)\r\n",
        ),
        (data_response.flags_line(["\\Seen", "$x"]), b"* FLAGS (\\Seen $x)\r\n"),
        (data_response.exists(3), b"* 3 EXISTS\r\n"),
        (data_response.recent(0), b"* 0 RECENT\r\n"),
        (data_response.expunge(3), b"* 3 EXPUNGE\r\n"),
        (data_response.vanished([(1, 2), (5, 5)]), b"* VANISHED 1:2,5\r\n"),
        (data_response.vanished([(1, 1)], earlier=True), b"* VANISHED (EARLIER) 1\r\n"),
        (data_response.vanished([]), b""),
    ],
)
def test_untagged_data(written: bytes, expected: bytes) -> None:
    assert written == expected


def test_a_fetch_response_is_framed_from_ready_items() -> None:
    items = [
        b"UID 7",
        b"FLAGS (\\Seen)",
        data_response.body_item(b"BODY[TEXT]<0>", b"a\r\n"),
        data_response.body_item(b"BODY[]", b""),
        data_response.body_item(b"BODY[9]", None),
    ]
    assert data_response.fetch_line(3, items) == (
        b'* 3 FETCH (UID 7 FLAGS (\\Seen) BODY[TEXT]<0> {3}\r\na\r\n BODY[] "" BODY[9] NIL)\r\n'
    )


def test_a_search_response_is_one_line_however_long() -> None:
    assert b"".join(search_response.search_chunks([])) == b"* SEARCH\r\n"
    assert b"".join(search_response.search_chunks([2, 84], 917)) == b"* SEARCH 2 84 (MODSEQ 917)\r\n"
    chunks = list(search_response.search_chunks(range(1, 10_001)))
    assert max(map(len, chunks)) < 32_768
    assert b"".join(chunks) == b"* SEARCH " + b" ".join(b"%d" % n for n in range(1, 10_001)) + b"\r\n"


def test_an_esearch_response_tells_what_was_asked() -> None:
    def esearch(numbers: list[int], returns: ReturnOptions = ALL_RETURNS, *, uid: bool = False) -> bytes:
        return b"".join(search_response.esearch_chunks(b"a1", numbers, returns, uid=uid))

    assert esearch([2, 3, 9]) == b'* ESEARCH (TAG "a1") MIN 2 MAX 9 COUNT 3 ALL 2:3,9\r\n'
    assert esearch([]) == b'* ESEARCH (TAG "a1") COUNT 0\r\n'
    assert (
        esearch([], ReturnOptions(frozenset({SearchReturn.ALL})), uid=True) == b'* ESEARCH (TAG "a1") UID\r\n'
    )
    long = list(range(1, 20_001, 2))
    assert esearch(long, ReturnOptions(frozenset({SearchReturn.ALL}))) == (
        b'* ESEARCH (TAG "a1") ALL ' + b",".join(b"%d" % n for n in long) + b"\r\n"
    )
    found = search_response.esearch_chunks(
        b"a", [4], ReturnOptions(frozenset({SearchReturn.MIN})), uid=False, mod_sequence=8
    )
    assert b"".join(found) == b'* ESEARCH (TAG "a") MIN 4 MODSEQ 8\r\n'
