"""Each command family: literal octets in, typed values out."""

from typing import TypeVar

import pytest

from freehold.protocols.imap.any_state import Capability, Identify, Logout, Noop
from freehold.protocols.imap.authenticate import Login
from freehold.protocols.imap.body_section import BodySection, SectionText
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.copy import Copy, Move
from freehold.protocols.imap.enable import Enable
from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.expunge import Expunge
from freehold.protocols.imap.fetch import Fetch, FetchAttribute
from freehold.protocols.imap.list import ListMailboxes, ListReturn, ListSelection, ListSubscribed
from freehold.protocols.imap.mailbox import Create, Delete, Namespace, Rename, Subscribe, Unsubscribe
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.select import Check, Close, Resynchronisation, Select, Unselect
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import State
from freehold.protocols.imap.status import MailboxStatus, StatusItem
from freehold.protocols.imap.store import Store, StoreAction

C = TypeVar("C", bound=Command)


def parse(text: bytes, kind: type[C], state: State = State.SELECTED) -> C:
    command = parse_command(b"a " + text, state)
    assert isinstance(command, kind), command
    return command


def bad(text: bytes, state: State = State.SELECTED) -> BadCommand:
    event = parse_command(b"a " + text, state)
    assert isinstance(event, BadCommand), event
    return event


def messages(raw: bytes) -> SequenceSet:
    return SequenceSet.parse(raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"capability", Capability(b"a")),
        (b"NOOP", Noop(b"a")),
        (b"Logout", Logout(b"a")),
        (b"CHECK", Check(b"a")),
        (b"close", Close(b"a")),
        (b"UNSELECT", Unselect(b"a")),
        (b"NAMESPACE", Namespace(b"a")),
        (b"EXPUNGE", Expunge(b"a")),
        (b"uid expunge 1:3", Expunge(b"a", messages(b"1:3"))),
        (b"copy 1:2,4 Trash", Copy(b"a", messages(b"1:2,4"), "Trash", uid=False)),
        (b"UID COPY * inbox", Copy(b"a", messages(b"*"), "INBOX", uid=True)),
        (b'MOVE 1 "a b"', Move(b"a", messages(b"1"), "a b", uid=False)),
        (b"UID MOVE 5:* x", Move(b"a", messages(b"5:*"), "x", uid=True)),
        (b"DELETE foo/bar", Delete(b"a", "foo/bar")),
        (b'RENAME "old \\"x\\\\" {3}\r\nnew', Rename(b"a", 'old "x\\', "new")),
        (b"SUBSCRIBE #news", Subscribe(b"a", "#news")),
        (b"UNSUBSCRIBE x]", Unsubscribe(b"a", "x]")),
        (b"CREATE Entw&APw-rfe/", Create(b"a", "Entwürfe/")),
        (b"CREATE s (USE (\\sent \\Junk \\New))", Create(b"a", "s", ("\\Sent", "\\Junk", "\\New"))),
        (b"ENABLE condstore QRESYNC CondStore", Enable(b"a", ("CONDSTORE", "QRESYNC"))),
        (b"ID NIL", Identify(b"a", ())),
        (b"ID ()", Identify(b"a", ())),
        (b'id ("Name" "x" "version" nil)', Identify(b"a", (("name", "x"), ("version", None)))),
    ],
)
def test_simple_commands_in_any_case(text: bytes, expected: Command) -> None:
    assert parse(text, Command) == expected


def test_login_keeps_the_octets() -> None:
    login = parse(b'LOGIN j@x.de "p\\"w \xc3\xa4"', Login, State.NOT_AUTHENTICATED)
    assert (login.user, login.password) == (b"j@x.de", b'p"w \xc3\xa4')


def test_select_with_condstore_and_qresync() -> None:
    assert parse(b"SELECT x", Select) == Select(b"a", "x", read_only=False)
    assert parse(b"EXAMINE x (CONDSTORE)", Select) == Select(b"a", "x", read_only=True, condstore=True)
    assert parse(
        b"SELECT x (QRESYNC (67890007 20050715194045000 41,43:211 (1:3 41:43)))", Select
    ).qresync == (
        Resynchronisation(
            67890007, 20050715194045000, messages(b"41,43:211"), messages(b"1:3"), messages(b"41:43")
        )
    )
    assert parse(b"SELECT x (QRESYNC (1 2 (1 2)) CONDSTORE)", Select) == Select(
        b"a", "x", False, True, Resynchronisation(1, 2, None, messages(b"1"), messages(b"2"))
    )


@pytest.mark.parametrize(
    "text",
    [b"SELECT x (FOO)", b"SELECT x (QRESYNC (0 1))", b"SELECT x (QRESYNC (1 1 1:*))", b"SELECT x(CONDSTORE)"],
)
def test_malformed_select_parameters_are_bad(text: bytes) -> None:
    assert bad(text).status is Status.BAD


def test_a_name_in_no_encoding_is_refused_as_a_mailbox_that_cannot_exist() -> None:
    event = bad(b"SELECT !#$&'+,-.0123456789:;<=>?@^_`|[}")
    assert (event.status, event.code) == (Status.NO, b"CANNOT")


def test_names_are_utf8_once_that_is_enabled() -> None:
    text = 'a DELETE "pää & x"'.encode()
    assert parse_command(text, State.SELECTED, utf8=True) == Delete(b"a", "pää & x")
    assert isinstance(parse_command(text, State.SELECTED), BadCommand)


def test_list_in_its_basic_form() -> None:
    assert parse(b'LIST "" *', ListMailboxes) == ListMailboxes(b"a", "", ("*",))
    assert parse(b'LIST "" ""', ListMailboxes) == ListMailboxes(b"a", "", ("",))
    assert parse(b"list ~x/ p&AOQ-%/*]", ListMailboxes) == ListMailboxes(b"a", "~x/", ("pä%/*]",))
    assert parse(b'LSUB "" %', ListSubscribed) == ListSubscribed(b"a", "", "%")
    assert parse(b'LIST "" !#$&\'+,-.0123456789:;<=>?@^_`|[}%*', ListMailboxes).patterns == ()


def test_list_in_its_extended_form() -> None:
    text = b'LIST (SUBSCRIBED RecursiveMatch) "" (INBOX "a %")'
    text += b" RETURN (CHILDREN STATUS (MESSAGES SIZE) SPECIAL-USE)"
    assert parse(text, ListMailboxes) == ListMailboxes(
        b"a",
        "",
        ("INBOX", "a %"),
        frozenset({ListSelection.SUBSCRIBED, ListSelection.RECURSIVEMATCH}),
        frozenset({ListReturn.CHILDREN, ListReturn.SPECIAL_USE}),
        (StatusItem.MESSAGES, StatusItem.SIZE),
        extended=True,
    )
    assert parse(b'LIST () "" %', ListMailboxes).extended
    assert parse(b'LIST "" % RETURN ()', ListMailboxes).extended


@pytest.mark.parametrize(
    "text",
    [
        b'LIST (imaptest) "" ""',
        b'LIST (recursivematch) "" ""',
        b'LIST (recursivematch remote) "" ""',
        b'LIST "" "" return (imaptest)',
        b'LIST "" ()',
        b'LIST "" % RETURN (STATUS ())',
    ],
)
def test_wrong_list_options_are_bad(text: bytes) -> None:
    assert bad(text).status is Status.BAD


def test_status_items() -> None:
    text = b"STATUS inbox (messages recent UIDNEXT uidvalidity unseen size"
    text += b" highestmodseq deleted deleted-storage mailboxid appendlimit)"
    assert set(parse(text, MailboxStatus).items) == set(StatusItem)
    assert parse(b"STATUS x ( MESSAGES  MESSAGES )", MailboxStatus).items == (StatusItem.MESSAGES,)
    assert bad(b"STATUS x ()").text == "STATUS: expected a status item"
    assert bad(b"STATUS x (FOO)").text == "STATUS: unknown status item"


def test_fetch_attributes_and_macros() -> None:
    fast = (FetchAttribute.FLAGS, FetchAttribute.INTERNALDATE, FetchAttribute.RFC822_SIZE)
    assert parse(b"FETCH 1 fast", Fetch).items == fast
    assert parse(b"FETCH 1 all", Fetch).items == (*fast, FetchAttribute.ENVELOPE)
    assert parse(b"FETCH 1 FULL", Fetch).items == (*fast, FetchAttribute.ENVELOPE, FetchAttribute.BODY)
    fetch = parse(b"uid fetch 1:*,3 (uid BODYSTRUCTURE modseq uid)", Fetch)
    assert fetch.uid
    assert fetch.items == (FetchAttribute.UID, FetchAttribute.BODYSTRUCTURE, FetchAttribute.MODSEQ)


def test_fetch_modifiers() -> None:
    fetch = parse(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)", Fetch)
    assert (fetch.changed_since, fetch.vanished) == (12345, True)
    assert bad(b"FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)").text == "FETCH: VANISHED is for UID FETCH"
    assert bad(b"UID FETCH 1:* (FLAGS) (VANISHED)").text == "UID FETCH: VANISHED needs CHANGEDSINCE"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (b"BODY[]", BodySection(b"BODY[]", peek=False)),
        (b"body.peek[text]<0.3>", BodySection(b"BODY[TEXT]<0>", True, (), SectionText.TEXT, (), 0, 3)),
        (b"BODY[1.2.MIME]", BodySection(b"BODY[1.2.MIME]", False, (1, 2), SectionText.MIME)),
        (b"BODY.PEEK[3]", BodySection(b"BODY[3]", True, (3,))),
        (
            b'BODY.PEEK[HEADER.FIELDS (From "X-Y")]',
            BodySection(
                b"BODY[HEADER.FIELDS (From X-Y)]", True, (), SectionText.HEADER_FIELDS, (b"From", b"X-Y")
            ),
        ),
        (
            b"BODY[1.header.fields.not (date)]<5.1>",
            BodySection(
                b"BODY[1.HEADER.FIELDS.NOT (date)]<5>",
                False,
                (1,),
                SectionText.HEADER_FIELDS_NOT,
                (b"date",),
                5,
                1,
            ),
        ),
        (b"RFC822", BodySection(b"RFC822", peek=False)),
        (b"RFC822.HEADER", BodySection(b"RFC822.HEADER", peek=True, text=SectionText.HEADER)),
        (b"rfc822.text", BodySection(b"RFC822.TEXT", peek=False, text=SectionText.TEXT)),
    ],
)
def test_body_sections(item: bytes, expected: BodySection) -> None:
    assert parse(b"FETCH 1 " + item, Fetch).items == (expected,)
    assert parse(b"FETCH 1 (" + item + b")", Fetch).items == (expected,)


@pytest.mark.parametrize(
    "item",
    [
        b"BODY[MIME]",
        b"BODY[0]",
        b"BODY[1.]",
        b"BODY[TEXT",
        b"BODY[]<0>",
        b"BODY[]<0.0>",
        b"BODY[HEADER.FIELDS ()]",
        b'BODY[HEADER.FIELDS ("a b")]',
        b"FLAGS[]",
        b"FOO",
        b"()",
        b"(FLAGS FAST)",
        b"BODY[" + b"1." * 100 + b"1]",
        b"(" + b" ".join(b"BODY[%d]" % part for part in range(1, 1000)) + b")",
    ],
)
def test_wrong_fetch_items_are_bad(item: bytes) -> None:
    assert bad(b"FETCH 1 " + item).status is Status.BAD


def test_store_in_its_forms() -> None:
    assert parse(b"STORE 1 +FLAGS (\\flagged)", Store) == Store(
        b"a", messages(b"1"), False, StoreAction.ADD, ("\\Flagged",)
    )
    assert parse(b"uid store 1:3 -flags.silent \\SEEN $Fwd NIL", Store) == Store(
        b"a", messages(b"1:3"), True, StoreAction.REMOVE, ("\\Seen", "$Fwd", "NIL"), silent=True
    )
    assert parse(b"STORE * (UNCHANGEDSINCE 12121230045) FLAGS ()", Store) == Store(
        b"a", messages(b"*"), False, StoreAction.REPLACE, (), unchanged_since=12121230045
    )
    assert parse(b"STORE 1 FLAGS (\\Recent \\Seen \\seen)", Store).flags == ("\\Seen",)


@pytest.mark.parametrize(
    "text",
    [
        b"STORE 1 FLAGS",
        b"STORE 1 FLAGS (\\Foo)",
        b"STORE 1 FLAGS (a]b)",
        b"STORE 1 *FLAGS (a)",
        b"STORE 0 FLAGS (a)",
        b"STORE 1 FLAGS (" + b"k" * 129 + b")",
        b"STORE 1 FLAGS (" + b" ".join(b"k%d" % number for number in range(300)) + b")",
        b"STORE 1 (UNCHANGEDSINCE -1) FLAGS (a)",
        b"STORE 1 FLAGS \\Seen\\Flagged",
    ],
)
def test_wrong_stores_are_bad(text: bytes) -> None:
    assert bad(text).status is Status.BAD


def test_an_id_beyond_its_bounds_is_bad() -> None:
    pair = b'"k" "v"'
    assert len(parse(b"ID (" + b" ".join([pair] * 30) + b")", Identify).parameters) == 30
    assert bad(b"ID (" + b" ".join([pair] * 31) + b")").text == "ID: too many members in a list"
    assert bad(b'ID ("' + b"k" * 31 + b'" NIL)').text == "ID: ID field or value too long"
    assert bad(b'ID "x"').status is Status.BAD


def test_a_nul_in_a_literal_is_bad() -> None:
    assert bad(b"DELETE {3}\r\na\0b").text == "DELETE: NUL in a literal"
