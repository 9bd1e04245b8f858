"""What the index keeps of a message is enough to find it, and no more than what it says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.modules.mail.imap.messages.content import MessageContent
from freehold.modules.mail.imap.search.content import Needle, body_contains, header_contains, text_contains
from freehold.modules.mail.imap.search.index import question_of
from freehold.modules.mail.search import document as document_module
from freehold.modules.mail.search.document import Document, make_document
from freehold.modules.mail.search.lookup import Question
from freehold.modules.mail.search.terms import PARTIAL, Field, has_all
from freehold.protocols.imap.search_keys import BodyContains, HeaderContains, TextContains
from tests.modules.mail.search.letters import Letter, letters, needles

NAMES = ("subject", "from", "to", "cc", "x-tag", "content-type", "absent")


def judge(message: bytes, key: HeaderContains | BodyContains | TextContains) -> bool:
    content, needle = MessageContent(message), Needle(key.text, fuzzy=key.fuzzy)
    match key:
        case HeaderContains(name):
            return header_contains(content, name, needle)
        case BodyContains():
            return body_contains(content, needle)
        case TextContains():
            return text_contains(content, needle)


def has(document: Document, question: Question) -> bool:
    terms = set[bytes]().union(*(document.terms.get(field, set()) for field in question.fields))
    return PARTIAL in terms or has_all(terms, question.runs)


@settings(max_examples=400, deadline=None)
@given(st.data(), st.booleans())
def test_index_and_thorough_search_agree(data: st.DataObject, fuzzy: bool) -> None:
    letter: Letter = data.draw(letters())
    text = data.draw(needles(letter))
    document = make_document(1, letter.data)
    keys: list[HeaderContains | BodyContains | TextContains] = [
        TextContains(text, fuzzy),
        BodyContains(text, fuzzy),
    ]
    keys += [HeaderContains(name, text, fuzzy) for name in NAMES]
    for key in keys:
        question = question_of(key)
        if not question.runs.parts:
            continue
        found, matches = has(document, question), judge(letter.data, key)
        assert found or not matches, key
        if question.is_exact:
            assert found == matches, key


@given(
    st.binary(max_size=400) | st.builds(lambda rest: b"Content-Type: text/html\r\n\r\n" + rest, st.binary())
)
def test_nothing_makes_the_examination_fail(message: bytes) -> None:
    document = make_document(1, message)
    for value in document.row.values:
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()


def test_what_is_too_long_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_module, "MAX_TEXT_CHARACTERS", 10)
    assert PARTIAL not in make_document(1, b"\r\n123456789").terms[Field.BODY]
    assert PARTIAL in make_document(1, b"\r\n0123 56789 123").terms[Field.BODY]


@pytest.mark.parametrize(
    ("message", "text", "found"),
    [
        (b"\r\nfoo bar", "o b", True),
        (b"Content-Type: text/html\r\n\r\nfoo<b>bar</b><p>baz<script>secret</script>", "foobar", True),
        (b"Content-Type: text/html\r\n\r\nfoo<b>bar</b><p>baz<script>secret</script>", "barbaz", False),
        (b"Content-Type: text/html\r\n\r\nfoo<b>bar</b><p>baz<script>secret</script>", "secret", False),
        (b"Content-Type: text/html\r\n\r\n1 &lt; 2 &eacute;t&eacute;", "1 < 2 ete", True),
        (
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSsO2cmc=",
            "jorg",
            True,
        ),
        (b"Subject: =?utf-8?q?Z=C3=BCrich?=\r\n\r\n", "zurich", True),
        (b"Subject: a\r\n b\r\n\r\n", "a b", True),
        (b"Content-Type: application/pdf\r\n\r\nfoo", "foo", False),
        (b"Content-Type: message/delivery-status\r\n\r\nfoo", "foo", True),
    ],
)
def test_text_is_what_a_reader_sees(message: bytes, text: str, found: bool) -> None:
    assert judge(message, TextContains(text)) is found
