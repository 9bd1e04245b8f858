"""Whatever is in them: responses are read again by a strict reader, and hold no stray CR, LF or NUL."""

import re

from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap import acl, data_response, metadata, quota, response, response_code
from freehold.protocols.imap.body_section import parse_body_section
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.dates import format_date_time
from freehold.protocols.imap.errors import CommandError, Status
from freehold.protocols.imap.mailbox_name import decode_name_text
from freehold.protocols.imap.partial import PartialRange
from freehold.protocols.imap.search_response import added_to, esearch_chunks, search_chunks
from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.status import StatusItem
from freehold.protocols.imap.thread import Threads, thread_chunks
from freehold.protocols.mime.imap_structure import body, bodystructure, envelope
from freehold.protocols.mime.structure import scan
from tests.fuzz.response_reader import Value, read_responses

names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=60)
names |= st.sampled_from(["NIL", "nil", '"', "\\", "a[b]", "{3}", "()", "*", "%", "\xe9" * 300, "x" * 1024])
octets = st.binary(max_size=60)
octets |= st.sampled_from([b"NIL", b"", b"\0", b"x" * 1100, b"a\r\nb", b"\xff", b"{3}\r\n"])
keywords = st.from_regex(rb"\A[^\x00-\x20(){%*\"\\\]\x7f-\xff]+\Z").map(lambda raw: raw.decode("ascii"))
numbers = st.integers(1, 2**32 - 1)
HEADER_WORDS = (
    b"From: ", b"Subject: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"message/rfc822",
    b"text/plain", b"\r\n", b"\r\n\r\n", b"--b", b"--b--", b'"', b"\\", b"(", b"<a@b>", b"a", b"\0",
    b"\xff", b";", b",", b"\n", b"\r", b"name=", b"Content-Disposition: attachment",
    b"Content-Language: en, de", b"Content-ID: <x>", b"grp:", b"=?utf-8?q?",
)  # fmt: skip


def only(data: bytes, *, utf8: bool = False) -> tuple[Value, ...]:
    """Return the values of the one response that there is."""
    (found,) = read_responses(data, utf8=utf8)
    return found


@given(names, names, st.booleans())
def test_names_are_read_again(name: str, old_name: str, utf8: bool) -> None:
    found = only(data_response.list_line(["\\Noselect"], name, old_name=old_name, utf8=utf8), utf8=utf8)
    assert found[:3] == (b"LIST", (b"\\Noselect",), b"/")
    assert isinstance(found[3], bytes)
    assert decode_name_text(found[3], utf8=utf8) == name
    for line in (
        data_response.status_line(name, dict.fromkeys(StatusItem, 7), utf8=utf8),
        acl.acl_line(name, [(old_name, "lrs"), ("anyone", "")], utf8=utf8),
        acl.list_rights_line(name, old_name, "", ["l", "r"], utf8=utf8),
        quota.quota_root_line(name, [old_name], utf8=utf8),
        quota.quota_line(old_name, [quota.QuotaResource("STORAGE", 1, 2)]),
    ):
        assert len(only(line, utf8=utf8)) > 1


@given(octets, names)
def test_values_of_entries_are_read_again(value: bytes, name: str) -> None:
    found = only(metadata.metadata_line(name, [("/private/x", value), ("/shared/a(b", None)]))
    assert found[2] == (b"/private/x", value, b"/shared/a(b", None)


@given(st.text(max_size=40), octets, st.sampled_from(Status))
def test_status_responses_are_lines_of_text(text: str, url: bytes, status: Status) -> None:
    assert only(response.tagged(b"a", status, text, response_code.bad_url(url)))[0] == b"a"
    assert only(response.bye(text))[0] == b"*"
    assert only(response.continuation(text))[0] == b"+"
    assert only(response.challenge(url))[0] == b"+"


@given(st.lists(keywords, max_size=5))
def test_flags_are_read_again(flags: list[str]) -> None:
    written = tuple(flag.encode() for flag in flags)
    assert only(data_response.flags_line(flags)) == (b"FLAGS", written)
    assert only(response.untagged_ok("x", response_code.permanent_flags(flags, keywords=True)))[0] == b"*"


@given(octets, numbers, st.integers(-(2**63), 2**63))
def test_items_of_fetch_are_read_again(content: bytes, number: int, when_ms: int) -> None:
    items = (
        data_response.body_item(b"BODY[1.TEXT]<0>", content),
        b"INTERNALDATE " + format_date_time(when_ms),
    )
    found = only(data_response.fetch_line(number, items))
    assert found[:2] == (b"%d" % number, b"FETCH")
    assert isinstance(found[2], tuple)
    assert found[2][:2] == (b"BODY[1.TEXT]<0>", content)


@given(st.lists(octets, min_size=1, max_size=3))
def test_labels_of_sections_are_read_again(fields: list[bytes]) -> None:
    written = b" ".join(b"{%d}\r\n%b" % (len(field), field) for field in fields)
    try:
        section = parse_body_section(Cursor(b"[HEADER.FIELDS (%b)]" % written), b"BODY")
    except CommandError:
        return
    item = data_response.body_item(section.label, b"x")
    assert only(data_response.fetch_line(1, [item]))[2] == (section.label, b"x")


@given(st.sets(numbers, max_size=20).map(sorted), st.sets(st.sampled_from(SearchReturn)), st.booleans())
def test_results_of_searches_are_read_again(found: list[int], told: set[SearchReturn], uid: bool) -> None:
    assert only(b"".join(search_chunks(found, 3)))[-1] == (b"MODSEQ", b"3")
    returns = ReturnOptions(frozenset(told - {SearchReturn.ALL}), PartialRange(1, 3))
    for options in (returns, ReturnOptions(frozenset(told))):
        assert only(b"".join(esearch_chunks(b"a1", found, options, uid=uid)))[1] == (b"TAG", b"a1")
    if found:
        assert len(only(b"".join(added_to(b"a1", [(0, found)], uid=uid)))) > 2


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=20))
def test_threads_are_read_again(messages: list[tuple[bool, int]]) -> None:
    """Each message, or parent that is not there, has an earlier one as its parent, or none."""
    parents = {parent for place, (_, parent) in enumerate(messages) if parent < place}
    names = [
        number if is_there or number - 1 not in parents else -number
        for number, (is_there, _) in enumerate(messages, 1)
    ]
    children: dict[int, list[int]] = {}
    roots: list[int] = []
    for place, (name, (_, parent)) in enumerate(zip(names, messages, strict=True)):
        (children.setdefault(names[parent], []) if parent < place else roots).append(name)
    written = b"".join(thread_chunks(Threads(roots, children)))
    assert only(written)[0] == b"THREAD"
    assert sorted(map(int, re.findall(rb"\d+", written))) == sorted(name for name in names if name > 0)


@given(st.lists(st.sampled_from(HEADER_WORDS), max_size=40).map(b"".join))
def test_structures_of_any_message_are_read_again(message: bytes) -> None:
    part = scan(message)
    items = (
        b"ENVELOPE " + envelope(message),
        b"BODY " + body(message, part),
        b"BODYSTRUCTURE " + bodystructure(message, part),
    )
    (found,) = only(data_response.fetch_line(1, items))[2:]
    assert isinstance(found, tuple)
    assert len(found) == 6
