"""What holds for any byte stream, however it is cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.protocols.smtp.events import MessageEnd, MessageRefused, Quit
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.stuffing import stuff
from tests.protocols.smtp.dialogue import ENVELOPE, comparable, content, converse

OPTIONS = ServerOptions(
    "mx.example", max_message_bytes=40, starttls=True, loopback=True, auth_mechanisms=("PLAIN",)
)
FRAGMENTS = [
    b"EHLO a.example\r\n",
    b"HELO a\r\n",
    b"MAIL FROM:<a@b.example>\r\n",
    b"MAIL FROM:<> SIZE=5 BODY=8BITMIME\r\n",
    b"RCPT TO:<c@d.example> NOTIFY=NEVER\r\n",
    b"DATA\r\n",
    b"BDAT 5\r\n",
    b"BDAT 3 LAST\r\n",
    b"BDAT 90\r\n",
    b"AUTH PLAIN\r\n",
    b"AUTH PLAIN AGEAYg==\r\n",
    b"*\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"STARTTLS\r\n",
    b"QUIT\r\n",
    b"Hello, world\r\n",
    b"\r\n.\r\n",
    b".\r\n",
    b"..\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"\n.\n",
    b"\x00",
    "ü".encode(),
    b"x" * 2050,
]
STREAMS = st.tuples(
    st.sampled_from([b"", ENVELOPE, ENVELOPE + b"DATA\r\n", ENVELOPE + b"BDAT 9\r\n"]),
    st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(b"".join),
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(STREAMS, st.data())
def test_events_and_answers_do_not_depend_on_how_the_stream_is_cut(
    stream: bytes, data: st.DataObject
) -> None:
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=12))
    whole_events, whole_sent = converse(stream, OPTIONS)
    for some in (cuts, range(len(stream))):
        events, sent = converse(stream, OPTIONS, some)
        assert comparable(events) == comparable(whole_events)
        assert sent == whole_sent


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_raise_nothing_but_a_protocol_error(noise: bytes) -> None:
    converse(noise, OPTIONS)
    converse(ENVELOPE + noise, OPTIONS)
    converse(ENVELOPE + b"DATA\r\n" + noise, OPTIONS)


def decode_slowly(stream: bytes) -> tuple[bytes, bool, bytes]:
    """Return content up to the first bare line end, whether there is one, and what follows the end."""
    end = (b"\r\n" + stream).index(b"\r\n.\r\n")
    body, rest = stream[:end], stream[end + 3 :]
    kept, position = bytearray(), 0
    while position < len(body):
        if body[position : position + 1] == b"." and (position == 0 or body[:position].endswith(b"\r\n")):
            position += 1
        elif body[position : position + 2] == b"\r\n":
            kept += b"\r\n"
            position += 2
        elif body[position : position + 1] in {b"\r", b"\n"}:
            return bytes(kept), True, rest
        else:
            kept += body[position : position + 1]
            position += 1
    return bytes(kept), False, rest


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n"]), max_size=12).map(b"".join), st.data())
def test_data_is_read_as_a_slow_and_simple_reader_would(head: bytes, data: st.DataObject) -> None:
    body = head + b"\r\n.\r\n"
    kept, is_bare, rest = decode_slowly(body)
    stream = ENVELOPE + b"DATA\r\n" + body[: len(body) - len(rest)] + b"QUIT\r\n"
    cuts = data.draw(st.sets(st.integers(len(ENVELOPE), len(stream)), max_size=4))
    events, _ = converse(stream, ServerOptions("mx.example"), cuts)
    assert content(events) == kept
    assert isinstance(events[-2], MessageRefused if is_bare else MessageEnd)
    assert events[-1] == Quit()


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([b"\r", b"\n", b"a", b"\r\n"]), max_size=8), st.data())
def test_bdat_is_refused_exactly_when_a_line_end_is_bare(chunks: list[bytes], data: st.DataObject) -> None:
    message = b"".join(chunks)
    framed = b"".join(b"BDAT %d\r\n%b" % (len(chunk), chunk) for chunk in chunks) + b"BDAT 0 LAST\r\n"
    whole = b"BDAT %d LAST\r\n%b" % (len(message), message)
    is_bare = bool(message.replace(b"\r\n", b"").strip(b"a"))
    for stream in (ENVELOPE + framed, ENVELOPE + whole):
        cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=4))
        events, _ = converse(stream, ServerOptions("mx.example"), cuts)
        assert any(isinstance(event, MessageRefused) for event in events) == is_bare


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"a", b".", b"..", b"\r\n", b"\r\n.", b"text"]), max_size=20), st.data())
def test_content_survives_stuffing_and_unstuffing(pieces: list[bytes], data: st.DataObject) -> None:
    message = b"".join(pieces)
    wire = b"".join(stuff(pieces))
    stream = ENVELOPE + b"DATA\r\n" + wire
    cuts = data.draw(st.sets(st.integers(0, len(stream)), max_size=5))
    events, _ = converse(stream, ServerOptions("mx.example"), cuts)
    ended = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
    assert content(events) == ended
    assert events[-1] == MessageEnd(len(ended))
