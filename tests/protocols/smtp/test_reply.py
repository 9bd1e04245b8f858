"""Replies as written and as read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.smtp.reply import InvalidReplyError, Reply, ReplyParser


def test_the_enhanced_code_leads_each_line() -> None:
    assert Reply(550, "5.1.1", ("No such user", "Try another")).to_bytes() == (
        b"550-5.1.1 No such user\r\n550 5.1.1 Try another\r\n"
    )
    assert Reply(354, None, ()).to_bytes() == b"354 \r\n"


def test_no_text_can_break_a_line() -> None:
    assert Reply.of(550, "5.1.1", "a\r\n250 ü\x00").to_bytes() == b"550 5.1.1 a??250 ??\r\n"
    assert len(Reply.of(550, "5.123.123", "x" * 9999).to_bytes()) <= 512


def test_a_reply_of_many_lines_is_read() -> None:
    parser = ReplyParser()
    assert parser.feed_line(b"250-mx.example") is None
    assert parser.feed_line(b"250-SIZE 1") is None
    assert parser.feed_line(b"250 HELP") == Reply(250, None, ("mx.example", "SIZE 1", "HELP"))


def test_enhanced_codes_are_taken_off_when_their_class_fits() -> None:
    assert ReplyParser().feed_line(b"550 5.1.1 Gone") == Reply(550, "5.1.1", ("Gone",))
    assert ReplyParser().feed_line(b"250 5.1.1 Odd") == Reply(250, None, ("5.1.1 Odd",))
    assert ReplyParser().feed_line(b"250 2.0.0") == Reply(250, "2.0.0", ("",))
    assert ReplyParser().feed_line(b"250") == Reply(250, None, ("",))


@pytest.mark.parametrize(
    "line", [b"", b"25", b"2500 x", b"150 x", b"650 x", b"abc", b"250x", b"250 " + b"x" * 4093]
)
def test_malformed_lines_are_refused(line: bytes) -> None:
    with pytest.raises(InvalidReplyError):
        ReplyParser().feed_line(line)


def test_a_code_that_changes_is_refused() -> None:
    parser = ReplyParser()
    parser.feed_line(b"250-a")
    with pytest.raises(InvalidReplyError):
        parser.feed_line(b"550 b")


def test_a_reply_has_at_most_128_lines() -> None:
    parser = ReplyParser()
    for _ in range(128):
        parser.feed_line(b"250-a")
    with pytest.raises(InvalidReplyError):
        parser.feed_line(b"250 a")


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(lambda text: f"x{text}")


@given(
    st.sampled_from([(250, "2.1.0"), (451, "4.3.0"), (550, "5.7.1"), (354, None)]),
    st.lists(TEXTS, min_size=1, max_size=5),
)
def test_a_reply_survives_writing_and_reading(code: tuple[int, str | None], lines: list[str]) -> None:
    reply = Reply(*code, tuple(lines))
    parser = ReplyParser()
    parsed = [parser.feed_line(line) for line in reply.to_bytes().split(b"\r\n")[:-1]]
    assert parsed == [None] * (len(lines) - 1) + [reply]


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_any_lines_raise_nothing_but_an_invalid_reply(lines: list[bytes]) -> None:
    parser = ReplyParser()
    for line in lines:
        try:
            parser.feed_line(line)
        except InvalidReplyError:
            return
