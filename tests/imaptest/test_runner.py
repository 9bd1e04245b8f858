"""The runner itself: how scripts are read, and what counts as the expected reply."""

from pathlib import Path

import pytest

from tests.imaptest.matching import Variables, match_reply, parse_args
from tests.imaptest.script import Literal, read_script

SCRIPT = """capabilities: ESORT THREAD=REFS
connections: 2

# a comment
1 ok noop
* $1 expunge
! 2 exists
2 select $mailbox
2 ok [read-write]
!ifenv NOT_SET_ANYWHERE
1 ok foo
!endif
1 ok append $mailbox {{{
A: b

}}}
1 tag1 create a
1 tag2 create b
1 tag1 ok
1 tag2 no
"""


def test_a_script_is_read(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(SCRIPT)
    script = read_script(path)
    assert script.capabilities == ["ESORT", "THREAD=REFS"]
    assert (script.connections, script.messages, script.state) == (2, None, "selected")
    noop, select, append, create = script.groups
    assert [(step.connection, step.command, step.status) for step in noop] == [(1, ["noop"], "ok")]
    assert (noop[0].expected, noop[0].banned) == ([["$1 expunge"]], [["2 exists"]])
    assert (select[0].command, select[0].status, select[0].prefix) == (
        ["select $mailbox"],
        "ok",
        ["[read-write]"],
    )
    assert append[0].command == ["append $mailbox ", Literal("A: b\r\n", is_binary=False), ""]
    assert [(step.tag, step.status) for step in create] == [("tag1", "ok"), ("tag2", "no")]


@pytest.mark.parametrize(
    ("expected", "actual", "matches"),
    [
        ("search 1 2", "SEARCH 1 2", True),
        ("search 1 2", "SEARCH 1 2 3", False),
        ("search 2 1", "SEARCH 1 2", False),
        ("ok [uidnext $next]", "OK [UIDNEXT 5] Predicted", True),
        ("1 fetch (uid 5 flags (\\seen))", "1 FETCH (FLAGS (\\Recent \\Seen) UID 5)", True),
        ("1 fetch (flags (\\seen))", "1 FETCH (FLAGS (\\Seen \\Deleted))", False),
        ("1 fetch (flags ($!extra \\seen))", "1 FETCH (FLAGS (\\Seen))", True),
        ("1 fetch (flags $)", "1 FETCH (FLAGS (\\Seen))", True),
        ("1 fetch (uid $known)", "1 FETCH (UID 6)", False),
        ("list (\\noselect) $sep a${sep}b", 'LIST (\\Noselect \\HasChildren) "/" a/b', True),
        ("list () $sep ${case:INBOX}", 'LIST () "/" inbox', False),
        ("1 fetch (flags ($$forwarded))", "1 FETCH (FLAGS ($Forwarded))", True),
        ("$2 expunge", "1 EXPUNGE", True),
    ],
)
def test_what_counts_as_the_expected_reply(expected: str, actual: str, *, matches: bool) -> None:
    variables = Variables({"known": "5"}, lambda number: number - 1)
    learnt = match_reply(parse_args([expected]), parse_args([actual]), variables)
    assert (learnt is not None) is matches


def test_variables_take_their_value_from_the_first_reply_and_go_into_commands() -> None:
    learnt = match_reply(parse_args(["esearch all $a:$b"]), parse_args(["ESEARCH ALL 3:7"]), Variables())
    assert learnt is not None
    assert learnt.expand("uid fetch ${a},$b ($$x)") == "uid fetch 3,7 ($x)"
