"""Client side: commands as sent, answers as matched, one message per transaction."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.smtp.address import EmailAddress
from freehold.protocols.smtp.capabilities import Capabilities, ExtensionMissingError
from freehold.protocols.smtp.client import Answer, ClientConnection, Sent, decode_challenge
from freehold.protocols.smtp.events import NEED_DATA, MessageEnd, ProtocolError, Rcpt
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.parameters import Body, MailParameters, Notify, RcptParameters, Return
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.stuffing import stuff
from freehold.protocols.smtp.transaction import Envelope, Progress, Recipient, Transaction
from tests.protocols.smtp.dialogue import content, converse

ALICE = EmailAddress("alice", "a.example")
BOB = EmailAddress("bob", "b.example")
CAROL = EmailAddress("carol", "b.example")
ENVELOPE = Envelope(ALICE, (Recipient(BOB), Recipient(CAROL)))


def answers(connection: ClientConnection, data: bytes) -> list[Answer]:
    connection.receive(data)
    found = []
    while (event := connection.next_event()) is not NEED_DATA:
        found.append(event)
    return found


def introduced(*keywords: bytes) -> ClientConnection:
    connection = ClientConnection("out.example")
    answers(connection, b"220 mx.example ESMTP\r\n")
    assert connection.hello() == b"EHLO out.example\r\n"
    lines = [b"mx.example", *keywords]
    answers(
        connection, b"".join(b"250-" + line + b"\r\n" for line in lines[:-1]) + b"250 " + lines[-1] + b"\r\n"
    )
    return connection


def advance(transaction: Transaction, connection: ClientConnection, data: bytes) -> bytes:
    return b"".join(transaction.take(answer) for answer in answers(connection, data))


def test_capabilities_are_read_from_ehlo() -> None:
    offered = introduced(b"PIPELINING", b"size 1000", b"AUTH PLAIN LOGIN", b"X-UNKNOWN 1").capabilities
    assert offered == Capabilities(
        frozenset({Extension.PIPELINING, Extension.SIZE, Extension.AUTH}), 1000, ("PLAIN", "LOGIN")
    )


def test_helo_is_the_way_back_when_ehlo_is_refused() -> None:
    connection = ClientConnection("out.example")
    answers(connection, b"220 old\r\n")
    connection.hello()
    assert answers(connection, b"502 What?\r\n")[0].reply.is_permanent
    assert connection.hello(extended=False) == b"HELO out.example\r\n"
    assert answers(connection, b"250-old\r\n250 PIPELINING\r\n")[0].sent is Sent.HELLO
    assert connection.capabilities == Capabilities()


def test_a_pipelined_envelope_goes_out_at_once_and_each_recipient_has_its_result() -> None:
    connection = introduced(b"PIPELINING")
    transaction = Transaction(connection, ENVELOPE)
    assert transaction.start() == (
        b"MAIL FROM:<alice@a.example>\r\nRCPT TO:<bob@b.example>\r\nRCPT TO:<carol@b.example>\r\nDATA\r\n"
    )
    assert advance(transaction, connection, b"250 ok\r\n550 5.1.1 gone\r\n250 ok\r\n354 go\r\n") == b""
    seen = [transaction.progress]
    assert b"".join(transaction.content([b".a\r", b"\n.b"], 6)) == b"..a\r\n..b\r\n.\r\n"
    advance(transaction, connection, b"250 2.0.0 queued\r\n")
    assert [*seen, transaction.progress] == [Progress.CONTENT, Progress.DONE]
    assert transaction.results == [Reply.of(550, "5.1.1", "gone"), Reply.of(250, "2.0.0", "queued")]
    assert not transaction.needs_reset
    again = Transaction(connection, ENVELOPE)
    assert again.start().startswith(b"MAIL FROM")


def test_without_pipelining_each_command_awaits_its_answer() -> None:
    connection = introduced(b"8BITMIME")
    transaction = Transaction(connection, ENVELOPE)
    assert transaction.start() == b"MAIL FROM:<alice@a.example>\r\n"
    with pytest.raises(RuntimeError):
        connection.rcpt(BOB)
    assert advance(transaction, connection, b"250 ok\r\n") == b"RCPT TO:<bob@b.example>\r\n"
    assert advance(transaction, connection, b"250 ok\r\n") == b"RCPT TO:<carol@b.example>\r\n"
    assert advance(transaction, connection, b"451 later\r\n") == b"DATA\r\n"
    assert advance(transaction, connection, b"354 go\r\n") == b""
    b"".join(transaction.content([], 0))
    advance(transaction, connection, b"554 spam\r\n")
    assert transaction.results == [Reply.of(554, None, "spam"), Reply.of(451, None, "later")]


def test_when_no_recipient_is_left_an_empty_message_answers_354() -> None:
    connection = introduced(b"PIPELINING")
    transaction = Transaction(connection, ENVELOPE)
    transaction.start()
    assert advance(transaction, connection, b"250 ok\r\n550 a\r\n550 b\r\n354 go\r\n") == b".\r\n"
    advance(transaction, connection, b"554 no valid recipients\r\n")
    assert transaction.results == [Reply.of(550, None, "a"), Reply.of(550, None, "b")]


def test_a_refused_sender_decides_for_all_recipients() -> None:
    for keywords in ([b"PIPELINING"], [b"HELP"]):
        connection = introduced(*keywords)
        transaction = Transaction(connection, ENVELOPE)
        transaction.start()
        rest = b"503 a\r\n503 b\r\n503 c\r\n" if connection.capabilities.offers(Extension.PIPELINING) else b""
        advance(transaction, connection, b"550 5.7.1 no\r\n" + rest)
        assert transaction.progress is Progress.DONE
        assert transaction.results == [Reply.of(550, "5.7.1", "no")] * 2
        assert transaction.needs_reset


def test_with_chunking_the_content_goes_as_it_is() -> None:
    connection = introduced(b"PIPELINING", b"CHUNKING")
    transaction = Transaction(connection, ENVELOPE)
    assert not transaction.start().endswith(b"DATA\r\n")
    advance(transaction, connection, b"250 ok\r\n250 ok\r\n250 ok\r\n")
    assert b"".join(transaction.content([b".a\r\n", b"b\r\n"], 7)) == b"BDAT 7 LAST\r\n.a\r\nb\r\n"
    advance(transaction, connection, b"250 ok\r\n")
    assert transaction.progress is Progress.DONE


def test_content_that_is_not_as_long_as_announced_is_an_error() -> None:
    connection = introduced(b"PIPELINING", b"CHUNKING")
    transaction = Transaction(connection, ENVELOPE)
    transaction.start()
    advance(transaction, connection, b"250 ok\r\n250 ok\r\n250 ok\r\n")
    with pytest.raises(ValueError, match="not as long"):
        list(transaction.content([b"a"], 2))


def test_parameters_go_only_to_servers_that_offer_them() -> None:
    wanted = MailParameters(size=5, body=Body.EIGHT_BIT, ret=Return.HEADERS, envid="a b")
    envelope = Envelope(None, (Recipient(BOB, RcptParameters(Notify.FAILURE)),), wanted)
    assert (
        Transaction(introduced(b"PIPELINING"), envelope)
        .start()
        .startswith(b"MAIL FROM:<>\r\nRCPT TO:<bob@b.example>\r\n")
    )
    rich = introduced(b"PIPELINING", b"SIZE", b"8BITMIME", b"DSN")
    assert Transaction(rich, envelope).start() == (
        b"MAIL FROM:<> SIZE=5 BODY=8BITMIME RET=HDRS ENVID=a+20b\r\n"
        b"RCPT TO:<bob@b.example> NOTIFY=FAILURE\r\nDATA\r\n"
    )
    with pytest.raises(ExtensionMissingError):
        Transaction(rich, Envelope(None, (Recipient(BOB),), MailParameters(smtputf8=True))).start()


def test_what_a_server_said_before_tls_is_forgotten() -> None:
    connection = introduced(b"STARTTLS", b"AUTH PLAIN")
    assert connection.start_tls() == b"STARTTLS\r\n"
    assert answers(connection, b"220 go\r\n250 injected\r\n") == [
        Answer(Sent.STARTTLS, Reply.of(220, None, "go"))
    ]
    connection.receive(b"250 injected\r\n")
    connection.tls_started()
    assert connection.next_event() is NEED_DATA
    assert connection.capabilities == Capabilities()
    assert connection.hello() == b"EHLO out.example\r\n"


def test_an_exchange_of_auth_goes_back_and_forth() -> None:
    connection = introduced(b"AUTH LOGIN PLAIN")
    assert connection.authenticate("PLAIN", b"\0a\0b") == b"AUTH PLAIN AGEAYg==\r\n"
    answers(connection, b"535 no\r\n")
    assert connection.authenticate("LOGIN") == b"AUTH LOGIN\r\n"
    assert decode_challenge(answers(connection, b"334 VXNlcm5hbWU6\r\n")[0].reply) == b"Username:"
    assert connection.respond(b"a") == b"YQ==\r\n"
    answers(connection, b"334 UGFzc3dvcmQ6\r\n")
    assert connection.respond(None) == b"*\r\n"
    with pytest.raises(ProtocolError):
        decode_challenge(Reply.of(334, None, "?"))


def test_a_server_may_close_at_any_time_but_not_chatter() -> None:
    connection = introduced(b"HELP")
    assert answers(connection, b"421 bye\r\n") == [Answer(Sent.NOTHING, Reply.of(421, None, "bye"))]
    with pytest.raises(ProtocolError):
        answers(connection, b"250 hello?\r\n")


@pytest.mark.parametrize(
    "data", [b"junk\r\n", b"250 a\n", b"250-" + b"x" * 5000, b"250-a\r\n" * 129, b"250-a\r\n251 b\r\n"]
)
def test_what_is_no_reply_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        answers(ClientConnection("out.example"), data)


def test_a_positive_answer_of_the_wrong_kind_delivers_nothing() -> None:
    connection = introduced(b"PIPELINING")
    transaction = Transaction(connection, ENVELOPE)
    transaction.start()
    with pytest.raises(ProtocolError):
        advance(transaction, connection, b"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n")
    assert transaction.results == [None, None]


def test_a_command_is_one_line() -> None:
    connection = introduced(b"HELP")
    with pytest.raises(ValueError, match="one line"):
        connection.mail(EmailAddress("a\r\nRSET", "b.example"))


def test_reset_noop_and_quit_are_sent_as_they_are() -> None:
    connection = introduced(b"PIPELINING")
    assert connection.reset() == b"RSET\r\n"
    assert connection.noop() == b"NOOP\r\n"
    assert connection.awaits_answers
    assert [answer.sent for answer in answers(connection, b"250 a\r\n250 b\r\n")] == [Sent.RSET, Sent.NOOP]
    assert connection.quit() == b"QUIT\r\n"


@given(st.lists(st.sampled_from([b"a", b".", b"\r\n", b"\r\n.", b"x" * 50]), max_size=30), st.data())
def test_stuffing_does_not_depend_on_the_pieces(pieces: list[bytes], data: st.DataObject) -> None:
    message = b"".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(message)), max_size=8)))
    other = [message[start:end] for start, end in pairwise([0, *cuts, len(message)])]
    assert b"".join(stuff(other)) == b"".join(stuff(pieces))


@given(
    st.lists(
        st.sampled_from(
            [b"250-a\r\n", b"250 ok\r\n", b"354 go\r\n", b"421 x\r\n", b"5", b"\r", b"\n", b"junk"]
        )
    ),
    st.data(),
)
def test_answers_do_not_depend_on_how_the_stream_is_cut(fragments: list[bytes], data: st.DataObject) -> None:
    stream = b"220 hi\r\n" + b"".join(fragments)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)))

    def run(bounds: list[int]) -> list[Answer | None]:
        connection = ClientConnection("out.example")
        connection.capabilities = Capabilities(frozenset({Extension.PIPELINING}))
        found: list[Answer | None] = []
        for start, end in pairwise(bounds):
            connection.receive(stream[start:end])
            try:
                while (event := connection.next_event()) is not NEED_DATA:
                    found.append(event)
                    if event.sent is Sent.GREETING:
                        connection.mail(ALICE)
                        connection.rcpt(BOB)
                        connection.data()
            except ProtocolError:
                return [*found, None]
        return found

    assert run([0, len(stream)]) == run([0, *cuts, len(stream)])


def test_client_and_server_understand_each_other() -> None:
    connection = introduced(b"PIPELINING", b"SIZE", b"SMTPUTF8", b"8BITMIME", b"DSN")
    sender = EmailAddress("jörg müller", "bücher.example")
    envelope = Envelope(
        sender,
        (Recipient(BOB, RcptParameters(Notify.SUCCESS | Notify.FAILURE)),),
        MailParameters(size=9, smtputf8=True, body=Body.EIGHT_BIT, envid="x=1"),
    )
    transaction = Transaction(connection, envelope)
    wire = transaction.start()
    wire += b"".join(stuff([b".a\r\n.b\r\n"]))
    events, _ = converse(b"EHLO out.example\r\n" + wire, ServerOptions("mx.example"))
    assert events[2] == Rcpt(BOB, RcptParameters(Notify.SUCCESS | Notify.FAILURE))
    assert content(events) == b".a\r\n.b\r\n"
    assert events[-1] == MessageEnd(8)
