"""What holds for any stream and any message, however they are cut."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.protocols.pop3.events import Auth, AuthResponse, Dele, List, Login, Retr, Top, Uidl, User
from freehold.protocols.pop3.message_lines import added_octets, retrieved, top, with_crlf
from tests.protocols.pop3.dialogue import converse

FRAGMENTS = [
    *(b"CAPA\r\n", b"USER ann\r\n", b"PASS x\r\n", b"AUTH PLAIN\r\n", b"AUTH PLAIN =\r\n", b"*\r\n"),
    *(b"STLS\r\n", b"QUIT\r\n", b"STAT\r\n", b"LIST\r\n", b"LIST 1\r\n", b"TOP 1 2\r\n", b"RETR 9\r\n"),
    *(b"\r\n", b"\r", b"\n", b" ", b"\x00", b"AUTH ", b"USER ", base64.b64encode(b"again") + b"\r\n"),
    *("ü".encode(), b"x" * 252, b"y" * 12_300),
]
STREAMS = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(b"".join)
CONTENTS = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n\r\n"]), max_size=14).map(
    b"".join
)
NUMBERS = st.integers(0, 2**32 - 1)


def pieces(data: st.DataObject, content: bytes) -> list[bytes]:
    """Cut a content anywhere."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(content)), max_size=6)))
    return [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@settings(max_examples=300, deadline=None)
@given(STREAMS, st.data())
def test_events_do_not_depend_on_how_the_stream_is_cut(stream: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=12))
    whole = converse(stream)
    assert converse(stream, cuts) == whole
    assert converse(stream, range(0, len(stream), 7)) == whole


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing(noise: bytes) -> None:
    converse(noise)
    converse(b"AUTH PLAIN\r\n" + noise)
    converse(b"USER a\r\nPASS b\r\n" + noise)


@given(NUMBERS, NUMBERS, st.binary(min_size=1).filter(lambda text: not set(text) & set(b"\r\n ")))
def test_what_is_written_is_read_back(number: int, lines: int, secret: bytes) -> None:
    response = base64.b64encode(secret)
    login = b"USER %b\r\nPASS %b\r\n" % (secret, secret)
    rest = b"LIST %d\r\nUIDL %d\r\nRETR %d\r\nTOP %d %d\r\nDELE %d\r\n" % (
        *(number, number, number, number, lines, number),
    )
    assert converse(login + rest) == [
        *(User(secret), Login(secret, secret), List(number), Uidl(number), Retr(number)),
        *(Top(number, lines), Dele(number)),
    ]
    exchange = converse(b"AUTH X %b\r\n%b\r\n" % (response, response))
    assert exchange == [Auth("X", secret), AuthResponse(secret)]


def unstuffed(wire: bytes) -> bytes:
    """Return what a client keeps of a reply's lines; they must end where the reply does."""
    lines = wire.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])


def line_by_line(content: bytes) -> bytes:
    """Return a content's lines, each ended by CRLF."""
    lines = content.split(b"\n")
    ended = [line.removesuffix(b"\r") + b"\r\n" for line in lines[:-1]]
    return b"".join(ended) + (lines[-1] + b"\r\n" if lines[-1] else b"")


@settings(max_examples=1000, deadline=None)
@given(CONTENTS, st.data())
def test_a_message_arrives_as_its_lines_and_as_long_as_told(content: bytes, data: st.DataObject) -> None:
    received = unstuffed(b"".join(retrieved(pieces(data, content))))
    assert received == line_by_line(content)
    assert len(received) == len(content) + added_octets(pieces(data, content))


@settings(max_examples=1000, deadline=None)
@given(CONTENTS, st.integers(0, 5), st.data())
def test_top_gives_the_header_and_so_many_lines(content: bytes, lines: int, data: st.DataObject) -> None:
    header, blank, body = (b"\r\n" + line_by_line(content)).partition(b"\r\n\r\n")
    wanted = (header + blank)[2:] + b"".join(line + b"\r\n" for line in body.split(b"\r\n")[:-1][:lines])
    assert unstuffed(b"".join(top(pieces(data, content), lines))) == wanted


@settings(max_examples=300, deadline=None)
@given(CONTENTS, st.data())
def test_no_lf_is_sent_without_its_cr(content: bytes, data: st.DataObject) -> None:
    sent = b"".join(with_crlf(pieces(data, content)))
    assert sent.count(b"\n") == sent.count(b"\r\n")
