"""SEARCH: every key of RFC 3501 §6.4.4 and the extensions, as a tree."""

import pytest

from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.partial import PartialRange
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.search import Search
from freehold.protocols.imap.search_keys import (
    Age,
    And,
    BodyContains,
    DateField,
    DateKey,
    DateRelation,
    EveryMessage,
    HasFlag,
    HeaderContains,
    Larger,
    ModifiedSince,
    Not,
    Numbers,
    Or,
    SearchKey,
    Smaller,
    TextContains,
    Uids,
)
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.sequence_set import SAVED_RESULT, SequenceSet
from freehold.protocols.imap.states import State

FEBRUARY_1 = 1_769_904_000_000


def search(arguments: bytes) -> Search:
    command = parse_command(b"a SEARCH " + arguments, State.SELECTED)
    assert isinstance(command, Search), command
    return command


def bad(arguments: bytes) -> BadCommand:
    event = parse_command(b"a SEARCH " + arguments, State.SELECTED)
    assert isinstance(event, BadCommand), event
    return event


def date_key(field: DateField, relation: DateRelation) -> DateKey:
    return DateKey(field, relation, FEBRUARY_1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (b"ALL", EveryMessage()),
        (b"answered", HasFlag("\\Answered")),
        (b"DELETED", HasFlag("\\Deleted")),
        (b"DRAFT", HasFlag("\\Draft")),
        (b"FLAGGED", HasFlag("\\Flagged")),
        (b"SEEN", HasFlag("\\Seen")),
        (b"RECENT", HasFlag("\\Recent")),
        (b"OLD", Not(HasFlag("\\Recent"))),
        (b"NEW", And((HasFlag("\\Recent"), Not(HasFlag("\\Seen"))))),
        (b"UNANSWERED", Not(HasFlag("\\Answered"))),
        (b"UNDELETED", Not(HasFlag("\\Deleted"))),
        (b"UNDRAFT", Not(HasFlag("\\Draft"))),
        (b"UNFLAGGED", Not(HasFlag("\\Flagged"))),
        (b"UNSEEN", Not(HasFlag("\\Seen"))),
        (b"KEYWORD $Label1", HasFlag("$Label1")),
        (b"UNKEYWORD $Label1", Not(HasFlag("$Label1"))),
        (b"2,4:*", Numbers(SequenceSet(((2, 2), (4, 0))))),
        (b"*", Numbers(SequenceSet(((0, 0),)))),
        (b"UID 7", Uids(SequenceSet(((7, 7),)))),
        (b"BCC x", HeaderContains("bcc", "x")),
        (b"CC x", HeaderContains("cc", "x")),
        (b"FUZZY SUBJECT x", HeaderContains("subject", "x", fuzzy=True)),
        (b"FUZZY (TEXT x BODY y)", And((TextContains("x", fuzzy=True), BodyContains("y", fuzzy=True)))),
        (b"NOT FUZZY SEEN", Not(HasFlag("\\Seen"))),
        (b"FUZZY TO x CC y", And((HeaderContains("to", "x", fuzzy=True), HeaderContains("cc", "y")))),
        (b"FROM {3}\r\na b", HeaderContains("from", "a b")),
        (b"SUBJECT NIL", HeaderContains("subject", "NIL")),
        (b'TO "a\\\\b"', HeaderContains("to", "a\\b")),
        (b'HEADER X-Extra ""', HeaderContains("x-extra", "")),
        (b"BODY x", BodyContains("x")),
        (b"TEXT x", TextContains("x")),
        (b"LARGER 10", Larger(10)),
        (b"SMALLER 0", Smaller(0)),
        (b"OLDER 60", Age(older=True, seconds=60)),
        (b"YOUNGER 60", Age(older=False, seconds=60)),
        (b"MODSEQ 620162338", ModifiedSince(620162338)),
        (b'MODSEQ "/flags/\\\\draft" all 620162338', ModifiedSince(620162338)),
        (b"BEFORE 1-Feb-2026", date_key(DateField.INTERNAL, DateRelation.BEFORE)),
        (b'ON "01-feb-2026"', date_key(DateField.INTERNAL, DateRelation.ON)),
        (b"SINCE 1-FEB-2026", date_key(DateField.INTERNAL, DateRelation.SINCE)),
        (b"SENTBEFORE 1-Feb-2026", date_key(DateField.SENT, DateRelation.BEFORE)),
        (b"SENTON 1-Feb-2026", date_key(DateField.SENT, DateRelation.ON)),
        (b"SENTSINCE 1-Feb-2026", date_key(DateField.SENT, DateRelation.SINCE)),
        (b"NOT SEEN", Not(HasFlag("\\Seen"))),
        (b"SEEN FLAGGED", And((HasFlag("\\Seen"), HasFlag("\\Flagged")))),
        (b"( SEEN  ALL )", And((HasFlag("\\Seen"), EveryMessage()))),
        (b"OR SEEN (1 ALL)", Or((HasFlag("\\Seen"), And((Numbers(SequenceSet(((1, 1),))), EveryMessage()))))),
        (
            b"OR ALL or SEEN OR 1 2",
            Or(
                (
                    EveryMessage(),
                    HasFlag("\\Seen"),
                    *map(Numbers, (SequenceSet(((1, 1),)), SequenceSet(((2, 2),)))),
                )
            ),
        ),
    ],
)
def test_search_keys(arguments: bytes, expected: SearchKey) -> None:
    assert search(arguments).key == expected


def test_return_options() -> None:
    assert search(b"ALL").returns is None
    everything = ReturnOptions(frozenset({SearchReturn.ALL}))
    assert search(b"RETURN () ALL").returns == search(b"RETURN (CONTEXT) ALL").returns == everything
    assert search(b"return (min MAX count) ALL").returns == ReturnOptions(
        frozenset({SearchReturn.MIN, SearchReturn.MAX, SearchReturn.COUNT})
    )
    assert search(b"RETURN (SAVE) ALL").returns == ReturnOptions(save=True)
    assert search(b"RETURN (UPDATE COUNT) ALL").returns == ReturnOptions(
        frozenset({SearchReturn.COUNT}), update=True
    )
    assert bad(b"RETURN (FOO) ALL").text == "SEARCH: unknown return option"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"1:1", PartialRange(1, 1)),
        (b"4:2", PartialRange(2, 4)),
        (b"-1:-100", PartialRange(1, 100, from_end=True)),
        (b"-100:-1", PartialRange(1, 100, from_end=True)),
    ],
)
def test_a_page_of_the_result_is_asked_for_either_way_round(written: bytes, expected: PartialRange) -> None:
    assert search(b"RETURN (PARTIAL " + written + b") ALL").returns == ReturnOptions(partial=expected)


@pytest.mark.parametrize(
    "options",
    [b"PARTIAL 1", b"PARTIAL 1:*", b"PARTIAL *:1", b"PARTIAL 0:1", b"PARTIAL -1:5", b"PARTIAL 1:4294967296",
     b"PARTIAL", b"PARTIAL 1:2 ALL", b"PARTIAL 1:2 PARTIAL 3:4"],
)  # fmt: skip
def test_what_is_no_page_is_refused(options: bytes) -> None:
    assert bad(b"RETURN (" + options + b") ALL").status is Status.BAD


def test_the_saved_result_stands_where_numbers_do() -> None:
    assert search(b"$").key == Numbers(SAVED_RESULT)
    assert search(b"OR UID $ NOT $").key == Or((Uids(SAVED_RESULT), Not(Numbers(SAVED_RESULT))))
    bad(b"$,1:3")
    bad(b"1:$")


def test_a_refused_charset_forgets_the_saved_result_only_if_a_new_one_was_to_be_saved() -> None:
    assert bad(b"RETURN (SAVE) CHARSET KLINGON TEXT x").forgets_result
    assert not bad(b"RETURN (COUNT) CHARSET KLINGON TEXT x").forgets_result
    assert not bad(b"CHARSET KLINGON TEXT x").forgets_result
    assert not bad(b"RETURN (SAVE) NONSENSE").forgets_result


def test_modseq_among_the_keys_is_told() -> None:
    assert search(b"OR SEEN (MODSEQ 5)").wants_mod_sequence
    assert not search(b"SEEN").wants_mod_sequence


def test_strings_are_decoded_by_their_charset() -> None:
    assert search(b"CHARSET UTF-8 TEXT {2}\r\n\xc3\xa4").key == TextContains("ä")
    assert search(b"RETURN (ALL) CHARSET iso-8859-1 TEXT {1}\r\n\xe4").key == TextContains("ä")
    assert search(b'charset us-ascii TEXT "x"').key == TextContains("x")
    assert search(b'TEXT "\xc3\xa4"').key == TextContains("ä")
    assert bad(b'TEXT "\xe4"').status is Status.BAD


@pytest.mark.parametrize(
    "name", [b"x-unknown", b"zip", b"base64", b"idna", b"unicode_escape", b"undefined", b'"a b"', b"aliases"]
)
def test_an_unknown_charset_is_named(name: bytes) -> None:
    event = bad(b"CHARSET " + name + b" ALL")
    assert (event.status, event.code) == (Status.NO, b"BADCHARSET (US-ASCII UTF-8)")


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b"FOO",
        b"NOT",
        b"OR SEEN",
        b"(SEEN",
        b"SEEN)",
        b"()",
        b"(SEEN)FLAGGED",
        b"BEFORE 31-Feb-2026",
        b"BEFORE 1-Foo-2026",
        b"OLDER 0",
        b"LARGER x",
        b"KEYWORD a]b",
        b"UID x",
        b"1:2:3",
        b"4294967296",
        b"(" * 2000 + b"ALL" + b")" * 2000,
        b"NOT " * 5000 + b"ALL",
        b"OR " * 5000 + b"ALL ALL",
        b"ALL " * 5000,
    ],
)
def test_what_is_no_search_is_bad(arguments: bytes) -> None:
    assert bad(arguments).status is Status.BAD


def test_a_long_chain_of_or_is_not_deep() -> None:
    key = search(b"OR FROM a@b " * 400 + b"ALL").key
    assert isinstance(key, Or)
    assert len(key.keys) == 401
