"""Rubbish, excess and tricks on every port: a clear answer or a closed connection, and no harm to others."""

import random
from collections.abc import Iterator

import pytest

from tests.scenarios.hostile import client_hello, nothing_breaks, others_are_served
from tests.scenarios.load import PASSWORD
from tests.scenarios.server import LISTENERS, Server, running_server, trusting_context
from tests.scenarios.wire import PeerClosedError, Wire, connected, deliver, fetch, greet, log_in

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.timeout(200)]

PIECE = 1 << 20
GIBIBYTE = 1 << 30
LARGEST_MESSAGE = 16 << 20
COMMANDS_PER_MINUTE = 100_000_000
"""Out of the way: what is throttled is no excess."""
COMMANDS = 100_000
SETTINGS = f"""
[mail.smtp]
max_message_bytes = {LARGEST_MESSAGE}
max_commands_per_minute = {COMMANDS_PER_MINUTE}
error_delay_seconds = 0.01
[mail.imap]
max_message_bytes = {LARGEST_MESSAGE}
"""
ZOE = "zoe@elsewhere.example"
ANN = "ann@example.test"
BOB = "bob@example.test"
PLAIN = ("smtp", "submission", "lmtp", "imap", "pop3", "metrics")
TLS = ("submissions", "imaps", "pop3s")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One installation for all attacks, so that what one leaves behind harms the next."""
    with running_server(tmp_path_factory.mktemp("hostile"), extra=SETTINGS) as one:
        yield one


def port_of(server: Server, listener: str) -> int:
    return server.metrics_port if listener == "metrics" else server.ports[listener]


async def shout(server: Server, listener: str, data: bytes) -> bytes:
    """Send octets and no more; returns all that was answered until the server closed."""
    async with connected(port_of(server, listener)) as wire:
        try:
            await wire.send(data)
            wire.end()
        except ConnectionError:
            return b""
        return await wire.rest()


async def stream(wire: Wire, piece: bytes, total: int) -> int:
    """Send a piece again and again until so many octets were sent, or the server had enough."""
    sent = 0
    try:
        while sent < total:
            await wire.send(piece)
            sent += len(piece)
    except ConnectionError:
        pass
    return sent


@pytest.mark.parametrize("listener", [*LISTENERS, "metrics"])
async def test_rubbish_and_the_wrong_protocol_are_turned_away(server: Server, listener: str) -> None:
    chance = random.Random(listener)
    async with others_are_served(server):
        with nothing_breaks(server):
            for data in (
                chance.randbytes(65536),
                chance.randbytes(3000) + b"\r\n",
                bytes(70_000),
                b"\r\n" * 5000,
                client_hello(),
                client_hello() + b"\r\n",
                b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n",
                b"a LOGIN x y\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                b"\r\n\r\n\x00\r\nQUIT\n\x15\x11\x00\x0c",
            ):
                answer = await shout(server, listener, data)
                if listener in TLS:
                    assert not answer or answer[0] in (0x15, 0x16), answer[:100]


@pytest.mark.parametrize("listener", ["smtp", "imap", "metrics"])
async def test_a_line_without_end_takes_no_memory(server: Server, listener: str) -> None:
    async with others_are_served(server):
        with nothing_breaks(server):
            async with connected(port_of(server, listener)) as wire:
                if listener != "metrics":
                    await wire.line()
                sent = await stream(wire, b"x" * PIECE, GIBIBYTE)
                if listener == "smtp":  # an overlong line is read to its end, the others hang up
                    assert sent == GIBIBYTE
                    assert (await wire.line()).startswith(b"500 5.5.2 ")
                else:
                    assert sent < GIBIBYTE


async def test_a_line_without_end_from_somebody_who_logged_in(server: Server) -> None:
    async with others_are_served(server):
        with nothing_breaks(server):
            async with connected(server.ports["imap"]) as wire:
                await log_in(wire, ANN, PASSWORD)
                await stream(wire, b"x" * PIECE, GIBIBYTE)


@pytest.mark.parametrize("is_known", [False, True], ids=["stranger", "member"])
@pytest.mark.parametrize(
    "command",
    [
        b"a LOGIN {4294967296}\r\n",
        b"a LOGIN {4294967296+}\r\n",
        b"a SELECT {99999999999999999999999}\r\n",
        b"a SELECT {99999999999999999999999+}\r\n",
        b"a APPEND INBOX {4294967296}\r\n",
        b"a APPEND INBOX {4294967296+}\r\n",
        b"a APPEND INBOX {4294967295}\r\n",
        b"a SEARCH BODY {4294967295+}\r\n",
    ],
)
async def test_a_literal_of_four_gibibytes_is_refused(server: Server, command: bytes, is_known: bool) -> None:
    with nothing_breaks(server):
        async with connected(server.ports["imap"]) as wire:
            if is_known:
                await log_in(wire, ANN, PASSWORD)
            else:
                await wire.line()
            await wire.send(command)
            answer = await wire.line()
            assert answer.startswith((b"a NO", b"a BAD", b"* BYE", b"* BAD")), answer
    async with others_are_served(server):
        pass


@pytest.mark.parametrize("listener", ["smtp", "lmtp"])
async def test_a_message_without_end_is_cut_off(server: Server, listener: str) -> None:
    async with others_are_served(server):
        with nothing_breaks(server):
            async with connected(server.ports[listener]) as wire:
                await greet(wire, lmtp=listener == "lmtp")
                await wire.ask(b"MAIL FROM:<zoe@elsewhere.example>")
                await wire.ask(b"RCPT TO:<bob@example.test>")
                await wire.ask(b"DATA", 354)
                with pytest.raises(ConnectionError):
                    await send_for_ever(wire, (b"y" * 998 + b"\r\n") * 100)
            async with connected(server.ports[listener]) as wire:
                await greet(wire, lmtp=listener == "lmtp")
                await wire.ask(b"MAIL FROM:<zoe@elsewhere.example>")
                await wire.ask(b"RCPT TO:<bob@example.test>")
                await wire.send(b"BDAT 1099511627776 LAST\r\n")
                assert (await wire.reply())[0] in (552, 421)


async def send_for_ever(wire: Wire, piece: bytes) -> None:
    """Send a piece again and again until the server has enough."""
    while True:
        await wire.send(piece)


async def test_ten_thousand_recipients_are_bounded_and_the_first_are_served(server: Server) -> None:
    async with others_are_served(server):
        with nothing_breaks(server):
            async with connected(server.ports["smtp"]) as wire:
                await greet(wire)
                await wire.ask(b"MAIL FROM:<zoe@elsewhere.example>")
                await wire.send(b"RCPT TO:<bob@example.test>\r\n" * 10_000)
                codes = [await wire.reply() for _ in range(10_000)]
                assert [code for code, _ in codes] == [250] * 1000 + [452] * 9000
                assert codes[-1][1].startswith(b"4.5.3 ")
                await wire.ask(b"DATA", 354)
                await wire.ask(b"Subject: many\r\n\r\nOne of many\r\n.")


async def test_a_hundred_thousand_commands_at_once_hold_up_nobody_else(server: Server) -> None:
    async with others_are_served(server):
        with nothing_breaks(server):
            async with connected(server.ports["smtp"]) as wire:
                await greet(wire)
                wire.offer(b"NOOP\r\n" * COMMANDS)
                for _ in range(COMMANDS):
                    assert (await wire.line()).startswith(b"250 ")
            async with connected(server.ports["imap"]) as wire:
                await wire.line()
                wire.offer(b"a NOOP\r\n" * COMMANDS)
                for _ in range(COMMANDS):
                    assert (await wire.line()).startswith(b"a OK")


async def test_commands_without_reading_the_answers_take_no_memory(server: Server) -> None:
    with nothing_breaks(server):
        async with connected(server.ports["smtp"]) as first, connected(server.ports["imap"]) as second:
            await greet(first)
            first.offer(b"NOOP\r\n" * 10 * COMMANDS)
            await second.line()
            second.offer(b"a CAPABILITY\r\n" * 10 * COMMANDS)
            async with others_are_served(server):
                pass


def nested_parts(depth: int) -> bytes:
    """Return a message of multiparts within multiparts."""
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (level, level)
        for level in range(depth)
    )


@pytest.mark.parametrize(
    "message",
    [
        nested_parts(20_000),
        b"Content-Type: message/rfc822\r\n\r\n" * 20_000,
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 200_000,
        b"X-Long: " + b"z" * (10 << 20) + b"\r\n\r\nbody\r\n",
        b"X-Many: z\r\n" * (1 << 20) + b"\r\nbody\r\n",
        b"To: " + b"<a@b.example>, " * 500_000 + b"\r\n\r\nbody\r\n",
        b"To: " + b"(" * 1_000_000 + b"\r\n\r\nbody\r\n",
        b"Subject: " + b"=?utf-8?q?=41?= " * 300_000 + b"\r\n\r\nbody\r\n",
        b"Subject: \x00\xff\x00\r\nFrom: \x00@\x00\r\n\r\n\x00\x00 \xff\xfe\r\n",
        b"",
        b"\r\n",
        b"no header at all\r\n",
    ],
    ids=[
        "multiparts", "messages", "parts", "long field", "many fields", "many addresses", "comments",
        "encoded words", "nuls", "empty", "empty line", "no header",
    ],
)  # fmt: skip
async def test_a_monstrous_message_is_refused_or_read_back_unchanged(server: Server, message: bytes) -> None:
    with nothing_breaks(server):
        async with others_are_served(server):
            async with connected(server.ports["smtp"]) as wire:
                await greet(wire)
                (code,) = await deliver(wire, ZOE, [BOB], message)
            assert code in (250, 550, 552, 554)
            if code == 250:
                async with connected(server.ports["imap"]) as wire:
                    await log_in(wire, BOB, PASSWORD)
                    await wire.run(b"s", b"SELECT INBOX")
                    async for fetched in fetch(wire, b"*"):
                        # a literal of IMAP may not hold NUL (RFC 9051 §4.3): it is told as another octet
                        assert fetched.content.endswith(message.replace(b"\x00", b"\x80"))
                    await wire.run(b"h", b"SEARCH HEADER Subject x TEXT never-there")
                    await wire.send(b"q LOGOUT\r\n")
                    await wire.rest()


@pytest.mark.parametrize(
    "command",
    [
        b"SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000,
        b"SEARCH " + b"NOT " * 15_000 + b"ALL",
        b"SEARCH " + b"OR ALL " * 8_000 + b"ALL",
        b"FETCH 1:* " + b"(" * 60_000,
        b"FETCH 1:* (" + b"FLAGS " * 10_000 + b"FLAGS)",
        b"FETCH 1:* BODY[" + b"1." * 30_000 + b"1]",
        b"FETCH " + b"1," * 30_000 + b"1 FLAGS",
        b"FETCH 1:* BODY.PEEK[HEADER.FIELDS (" + b"x " * 20_000 + b")]",
        b'LIST "" ' + b"%" * 5_000,
        b'LIST "" "' + b"*%" * 500 + b'"',
        b"SELECT " + b"a/" * 30_000 + b"a",
        b"CREATE " + b"a/" * 500 + b"a",
        b"STORE 1 +FLAGS (" + b"k " * 20_000 + b"k)",
        b"SELECT \x00",
        b'SELECT "\x00"',
        b"SELECT {3+}\r\na\x00b",
        b"LOGIN {3+}\r\na\x00b {3+}\r\n\x00\x00\x00",
        b"SEARCH SUBJECT {3+}\r\na\x00b",
        b"CREATE {3+}\r\na\x00b",
        b"\xff\xfe",
        b"",
    ],
    ids=lambda command: command[:16].decode("latin-1").strip(),
)
async def test_a_monstrous_command_gets_an_answer(server: Server, command: bytes) -> None:
    with nothing_breaks(server):
        async with connected(server.ports["imap"]) as wire:
            await log_in(wire, ANN, PASSWORD)
            await wire.run(b"s", b"SELECT INBOX")
            await wire.send(b"a " + command + b"\r\n")
            while not (line := await wire.line()).startswith((b"a ", b"* BYE", b"* BAD")):
                pass
            assert line.split()[1] in (b"OK", b"NO", b"BAD", b"BYE"), line


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n.\x00\r\n", b"\n\n.\r\n"],
)
async def test_no_second_message_is_smuggled_in(server: Server, end: bytes) -> None:
    smuggled = (
        b"MAIL FROM:<boss@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nSubject: x\r\n\r\nHa\r\n"
    )
    with nothing_breaks(server):
        async with connected(server.ports["smtp"]) as wire:
            await greet(wire)
            (code,) = await deliver(wire, ZOE, [BOB], b"Subject: outer\r\n\r\nHi" + end + smuggled)
            assert code == (250 if b"\x00" in end else 550)
            await wire.ask(b"VRFY bob", 252)  # no answer to a smuggled command comes before this one


@pytest.mark.parametrize(
    ("listener", "dialogue", "code"),
    [
        ("smtp", [b"EHLO not_a_name!"], 501),
        ("smtp", [b"EHLO"], 501),
        ("smtp", [b"MAIL FROM:<a@b.example>"], 503),
        ("smtp", [b"EHLO x.example", b"RCPT TO:<bob@example.test>"], 503),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<zoe>"], 501),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<zoe@host>"], 553),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<zoe@elsewhere.example> SIZE=99999999999"], 552),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<z@e.example>", b"RCPT TO:<x@elsewhere.example>"], 550),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<z@e.example>", b"RCPT TO:<nobody@example.test>"], 550),
        (
            "smtp",
            [b"EHLO x.example", b"MAIL FROM:<z@e.example>", b"RCPT TO:<bob%x.example@example.test>"],
            550,
        ),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<z@e.example>", b"DATA"], 503),
        ("smtp", [b"EHLO x.example", b"VRFY bob"], 252),
        ("smtp", [b"EHLO x.example", b"EXPN staff"], 502),
        ("smtp", [b"EHLO x.example", b"MAIL FROM:<a\x00b@elsewhere.example>"], 500),
        ("smtp", [b"EHLO x.example", b"AUTH PLAIN AGFubgB4"], 502),
        ("smtp", [b"EHLO x.example", b"STARTTLS now"], 501),
        ("smtp", [b"EHLO x.example", b"BDAT many"], 501),
        ("smtp", [b"EHLO x.example\r\nMAIL FROM:<a@b.example>"], 503),
        ("smtp", [b"EHLO x.example", *[b"WHAT"] * 11, b"WHAT"], 421),
        ("submission", [b"EHLO x.example", b"MAIL FROM:<ann@example.test>"], 530),
        ("submission", [b"EHLO x.example", b"AUTH PLAIN AGFubgB3cm9uZw=="], 535),
        ("submission", [b"EHLO x.example", b"AUTH PLAIN !"], 501),
        ("lmtp", [b"EHLO x.example"], 500),
    ],
)
async def test_every_refusal_is_said_and_does_no_harm(
    server: Server, listener: str, dialogue: list[bytes], code: int
) -> None:
    with nothing_breaks(server):
        async with connected(server.ports[listener]) as wire:
            await wire.reply()
            for command in dialogue:
                await wire.send(command + b"\r\n")
                try:
                    last, text = await wire.reply()
                except PeerClosedError:
                    break
            if last != code:  # the refusal before the one that ends the connection
                last, text = await wire.reply()
            assert last == code, text


async def test_what_came_in_plain_text_before_tls_is_not_obeyed(server: Server) -> None:
    with nothing_breaks(server):
        async with connected(server.ports["smtp"]) as wire:
            await greet(wire)
            await wire.send(
                b"STARTTLS\r\nMAIL FROM:<zoe@elsewhere.example>\r\nRCPT TO:<bob@example.test>\r\n"
            )
            answer = await wire.line()
            assert answer.startswith((b"220", b"503"))
        async with connected(server.ports["submissions"], trusting_context()) as wire:
            await greet(wire, login=BOB, password=PASSWORD)
            await wire.send(b"MAIL FROM:<ann@example.test>\r\n")
            assert (await wire.reply())[0] == 553
