"""Mail to other hosts, over real sockets: what each answer, silence and broken connection leads to."""

from ipaddress import ip_address

import pytest

from freehold.certificates.contexts import server_context
from freehold.certificates.self_signed import write_self_signed
from freehold.kernel.resolver import MxHost, NullMxError, ResolverUnavailableError
from freehold.modules.mail.queue.settings import QueueSettings
from tests.modules.mail.queue.post_office import MESSAGE, PostOffice
from tests.smtp_sink import DROP, MODERN, PLAIN, SILENCE, Script

IMPATIENT = QueueSettings(connect_seconds=2.0, command_seconds=0.3, data_seconds=0.3)
TOO_LARGE = b"552 5.3.4 too large\r\n"


async def test_a_message_arrives_byte_for_byte_without_our_return_path(any_office: PostOffice) -> None:
    async with any_office.sink() as sink:
        await any_office.enqueue("joe@far.test")
        assert await any_office.deliver() == 1
    (taken,) = sink.messages
    assert (taken.sender, taken.recipients, taken.content) == ("ann@example.test", ("joe@far.test",), MESSAGE)
    assert await any_office.entries() == []
    assert await any_office.references() == {}
    assert await any_office.states("joe@far.test") == ["relayed"]


@pytest.mark.parametrize("extensions", [(), PLAIN, MODERN])
async def test_any_set_of_extensions_carries_the_same_bytes(
    office: PostOffice, extensions: tuple[str, ...]
) -> None:
    long = MESSAGE + b".\r\n..\r\n" + b"x" * 998 + b"\r\n"
    async with office.sink(Script(extensions=extensions)) as sink:
        await office.enqueue("joe@far.test", "jim@far.test", content=long)
        await office.deliver()
    (taken,) = sink.messages
    assert (taken.recipients, taken.content) == (("joe@far.test", "jim@far.test"), long)


async def test_a_server_without_ehlo_is_greeted_with_helo(office: PostOffice) -> None:
    async with office.sink(Script(always={"EHLO": b"502 5.5.1 what?\r\n"})) as sink:
        await office.enqueue("joe@far.test")
        await office.deliver()
    assert sink.commands[:2] == ["EHLO mail.example.test", "HELO mail.example.test"]
    assert len(sink.messages) == 1


@pytest.mark.parametrize(
    ("extensions", "stage"),
    [
        (extensions, stage)
        for extensions in ((), PLAIN, MODERN)
        for stage in ("MAIL", "RCPT", "DATA", ".")
        if not (stage == "DATA" and extensions is MODERN)  # with CHUNKING there is none
    ],
)
@pytest.mark.parametrize(
    ("reply", "state"), [(b"451 4.7.1 later\r\n", "deferred"), (b"550 5.7.1 never\r\n", "bounced")]
)
async def test_a_refusal_at_any_stage_decides(
    office: PostOffice, stage: str, reply: bytes, state: str, extensions: tuple[str, ...]
) -> None:
    async with office.sink(Script({stage: [reply]}, extensions=extensions)) as sink:
        await office.enqueue("joe@far.test")
        await office.deliver()
    assert sink.messages == []
    assert await office.states("joe@far.test") == [state]
    entries = await office.entries()
    assert [each.last_error for each in entries] == (["451 4.7.1 later"] if state == "deferred" else [])
    reports = await office.host.messages_of("ann@example.test")
    assert len(reports) == (state == "bounced")


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "."])
@pytest.mark.parametrize("fault", [DROP, SILENCE, b"garbage\r\n", b"\xff\x00" * 3000 + b"\r\n"])
async def test_a_broken_conversation_at_any_stage_is_tried_again_later(
    office: PostOffice, stage: str, fault: bytes
) -> None:
    office.configure(IMPATIENT)
    script = Script(always={stage: fault}) if stage == "EHLO" else Script({stage: [fault]})
    async with office.sink(script) as sink:
        await office.enqueue("joe@far.test", content=MESSAGE + b"x" * 70 + b"\r\n" * 2000)
        await office.deliver()
    assert sink.messages == []
    (entry,) = await office.entries()
    assert (entry.attempts, entry.state, entry.is_leased) == (1, "ready", False)
    assert entry.last_error.isprintable()


async def test_a_permanent_reply_before_the_end_of_the_content_is_believed(office: PostOffice) -> None:
    async with office.sink(Script({"CONTENT": [TOO_LARGE]})):
        await office.enqueue("joe@far.test", content=MESSAGE + b"x" * 998 + b"\r\n" * 8_000_000)
        await office.deliver()
    assert await office.states("joe@far.test") == ["bounced"]


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "."])
async def test_a_host_that_closes_with_421_sends_us_to_the_next(office: PostOffice, stage: str) -> None:
    closing = b"421 4.3.2 closing\r\n"
    script = Script(always={"EHLO": closing}) if stage == "EHLO" else Script({stage: [closing]})
    async with office.sink(script), office.sink(address="127.0.0.3") as second:
        await office.enqueue("joe@far.test")
        await office.deliver()
    assert len(second.messages) == 1
    assert await office.states("joe@far.test") == ["relayed"]


async def test_each_recipient_has_an_outcome_of_its_own(any_office: PostOffice) -> None:
    replies = [b"250 ok\r\n", b"550 5.1.1 unknown\r\n", b"452 4.2.2 full\r\n"]
    async with any_office.sink(Script({"RCPT": replies})) as sink:
        await any_office.enqueue("a@far.test", "b@far.test", "c@far.test")
        await any_office.deliver()
    (taken,) = sink.messages
    assert taken.recipients == ("a@far.test",)
    states = [await any_office.states(f"{name}@far.test") for name in "abc"]
    assert states == [["relayed"], ["bounced"], ["deferred"]]
    assert [each.recipient for each in await any_office.entries()] == ["c@far.test"]


async def test_one_connection_carries_several_messages_and_then_another_one_does(office: PostOffice) -> None:
    office.configure(QueueSettings(max_messages_per_connection=3))
    async with office.sink() as sink:
        for number in range(7):
            await office.enqueue(f"joe{number}@far.test")
        await office.deliver()
    assert [taken.connection for taken in sink.messages] == [1, 1, 1, 2, 2, 2, 3]
    assert sink.commands.count("QUIT") == 3


async def test_a_refused_message_does_not_spoil_the_connection(office: PostOffice) -> None:
    async with office.sink(Script({"RCPT": [b"550 5.1.1 unknown\r\n"]}, extensions=MODERN)) as sink:
        await office.enqueue("joe@far.test")
        await office.enqueue("jim@far.test")
        await office.deliver()
    assert "RSET" in sink.commands
    assert [(taken.connection, taken.recipients) for taken in sink.messages] == [(1, ("jim@far.test",))]


async def test_a_kept_connection_that_ended_is_replaced_without_an_attempt_lost(office: PostOffice) -> None:
    async with office.sink(Script({"MAIL": [b"250 ok\r\n", DROP, b"250 ok\r\n"]})) as sink:
        await office.enqueue("joe@far.test")
        await office.enqueue("jim@far.test")
        await office.deliver()
    assert [taken.connection for taken in sink.messages] == [1, 2]
    assert await office.entries() == []


async def test_hosts_are_tried_in_order_and_every_address_of_each(office: PostOffice) -> None:
    async with (
        office.sink(Script({"GREETING": [b"554 no\r\n"]})) as first,
        office.sink(address="127.0.0.4") as second,
    ):
        office.host.resolver.hosts["mx2.far.test"].append(ip_address("127.0.0.3"))  # nobody listens there
        await office.enqueue("joe@far.test")
        await office.deliver()
    assert (first.connections, len(first.messages)) == (1, 0)
    assert len(second.messages) == 1


async def test_when_no_host_answers_the_last_reason_is_kept(office: PostOffice) -> None:
    async with office.sink(Script({"GREETING": [b"554 5.7.1 not you\r\n"]})):
        await office.enqueue("joe@far.test")
        await office.deliver()
    (entry,) = await office.entries()
    assert entry.last_error == "554 5.7.1 not you"


async def test_a_domain_without_mx_is_its_own_mail_host(office: PostOffice) -> None:
    async with office.sink() as sink:
        office.host.resolver.exchangers["plain.test"] = [MxHost(0, "plain.test", is_implicit=True)]
        office.host.resolver.hosts["plain.test"] = [ip_address(sink.address)]
        await office.enqueue("joe@plain.test")
        await office.deliver()
    assert len(sink.messages) == 1


async def test_an_international_domain_is_looked_up_and_named_in_ascii(office: PostOffice) -> None:
    async with office.sink(domain="xn--bcher-kva.test") as sink:
        await office.enqueue("joe@bücher.test")
        await office.deliver()
    (taken,) = sink.messages
    assert taken.recipients == ("joe@xn--bcher-kva.test",)


async def test_an_address_literal_needs_no_dns(office: PostOffice) -> None:
    async with office.sink() as sink:
        await office.enqueue(f"joe@[{sink.address}]")
        await office.deliver()
    assert len(sink.messages) == 1


@pytest.mark.parametrize(
    ("error", "state"), [(NullMxError(), "bounced"), (ResolverUnavailableError(), "deferred")]
)
async def test_what_dns_says_decides(office: PostOffice, error: Exception, state: str) -> None:
    office.host.resolver.error = error
    await office.enqueue("joe@far.test")
    await office.deliver()
    assert await office.states("joe@far.test") == [state]


async def test_an_unknown_domain_bounces(office: PostOffice) -> None:
    await office.enqueue("joe@nowhere.test")
    await office.deliver()
    assert await office.states("joe@nowhere.test") == ["bounced"]


async def test_a_backup_host_delivers_only_to_better_ones(office: PostOffice) -> None:
    async with office.sink() as better, office.sink(address="127.0.0.3") as worse:
        first, last = office.host.resolver.exchangers["far.test"]
        ourselves = MxHost(15, "Mail.Example.test")
        office.host.resolver.exchangers["far.test"] = [first, ourselves, last]
        await office.enqueue("joe@far.test")
        await office.deliver()
        office.host.resolver.exchangers["far.test"] = [ourselves, last]
        await office.enqueue("jim@far.test")
        await office.deliver()
    assert (len(better.messages), worse.connections) == (1, 0)
    assert await office.states("jim@far.test") == ["bounced"]


async def test_a_host_that_greets_with_our_name_is_not_sent_anything(office: PostOffice) -> None:
    async with office.sink(Script({"GREETING": [b"220 mail.example.test ESMTP\r\n"]})) as sink:
        await office.enqueue("joe@far.test")
        await office.deliver()
    assert [line.partition(" ")[0] for line in sink.commands] == ["QUIT"]
    assert await office.states("joe@far.test") == ["bounced"]


async def test_a_message_that_needs_smtputf8_goes_only_where_it_is_offered(office: PostOffice) -> None:
    async with (
        office.sink(Script(extensions=MODERN)) as modern,
        office.sink(domain="old.test", address="127.0.0.3") as old,
    ):
        await office.enqueue("jürgen@far.test")
        await office.enqueue("jürgen@old.test")
        await office.deliver()
    assert modern.commands[1].endswith(" SMTPUTF8")
    assert modern.messages[0].recipients == ("jürgen@far.test",)
    assert old.messages == []
    (report,) = await office.host.messages_of("ann@example.test")
    assert b"Status: 5.6.7" in report


async def test_mail_is_encrypted_where_the_host_offers_it(office: PostOffice) -> None:
    certificate = office.host.folder / "sink.pem"
    write_self_signed("mx2.far.test", certificate, office.clock.now_ms())
    tls = server_context(certificate, certificate)
    async with office.sink(Script(extensions=(*PLAIN, "STARTTLS"), tls=tls)) as sink:
        await office.enqueue("joe@far.test")
        await office.deliver()
    assert [taken.is_encrypted for taken in sink.messages] == [True]


@pytest.mark.parametrize(
    "answer",
    [
        b"220 ready\r\nthis is no handshake at all, however long one looks at it\r\n",
        b"220 ready\r\n",
        b"250 odd\r\n",
        b"454 4.7.0 not now\r\n",
        DROP,
    ],
)
async def test_mail_goes_in_the_clear_where_tls_is_broken(office: PostOffice, answer: bytes) -> None:
    office.configure(QueueSettings(connect_seconds=1.0, command_seconds=5.0))
    script = Script({"STARTTLS": [answer]}, extensions=(*PLAIN, "STARTTLS"))
    async with office.sink(script) as sink:
        await office.enqueue("joe@far.test")
        await office.deliver()
        if answer == DROP:  # that is no answer about TLS: the host is tried again later
            office.clock.forward(seconds=2000)
            await office.deliver()
    assert [taken.is_encrypted for taken in sink.messages] == [False]
