"""When a message is tried again, when its sender is told, and what the sender then reads."""

from email import message_from_bytes, policy
from email.message import EmailMessage, Message

import pytest

from freehold.modules.mail.addresses.model import Resolution
from freehold.modules.mail.queue.schedule import next_attempt_ms
from freehold.modules.mail.queue.settings import QueueSettings
from tests.modules.mail.queue.post_office import DAY_MS, MESSAGE, PostOffice
from tests.smtp_sink import MODERN, Script

BUSY = b"450 4.2.1 try later\r\n"


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def status_blocks(message: EmailMessage) -> list[Message]:
    """Return the message's and the recipients' fields of a delivery status."""
    part = next(each for each in message.walk() if each.get_content_type() == "message/delivery-status")
    payload = part.get_payload()
    assert isinstance(payload, list)
    return [each for each in payload if isinstance(each, Message)]


@pytest.mark.parametrize(
    ("attempts", "pause"), [(0, 1000), (1, 1000), (2, 2000), (3, 4000), (4, 8000), (5, 8000), (10_000, 8000)]
)
def test_the_pause_doubles_up_to_the_longest(attempts: int, pause: int) -> None:
    due_ms = next_attempt_ms(QueueSettings(), attempts=attempts, now_ms=5, expires_ms=DAY_MS)
    assert due_ms == 5 + pause * 1000


def test_the_last_attempt_is_made_when_the_message_expires() -> None:
    assert next_attempt_ms(QueueSettings(), attempts=1, now_ms=0, expires_ms=500_000) == 500_000
    assert next_attempt_ms(QueueSettings(), attempts=1, now_ms=500_000, expires_ms=500_000) == 501_000


async def test_a_message_is_tried_at_its_times_warned_of_once_and_returned_in_the_end(
    any_office: PostOffice,
) -> None:
    async with any_office.sink(Script(always={"RCPT": BUSY})) as sink:
        began_ms = any_office.clock.now_ms()
        await any_office.enqueue("joe@far.test", lifetime_ms=DAY_MS)
        times: list[int] = []
        subjects: list[str] = []
        await any_office.deliver()
        while entries := await any_office.entries():
            any_office.clock.now = entries[0].due_ms
            times.append((entries[0].due_ms - began_ms) // 1000)
            await any_office.deliver()
        reports = [parsed(raw) for raw in await any_office.host.messages_of("ann@example.test")]
        subjects = [str(report["Subject"]) for report in reports]
    assert times[:5] == [1000, 3000, 7000, 15000, 23000]
    assert times[-1] == DAY_MS // 1000
    assert len([line for line in sink.commands if line.startswith("RCPT")]) == len(times) + 1
    assert subjects == ["Your message is delayed", "Your message could not be delivered"]
    assert status_blocks(reports[0])[1]["Action"] == "delayed"
    assert status_blocks(reports[1])[1]["Status"] == "4.4.7"


async def test_a_bounce_says_who_why_and_returns_the_message(any_office: PostOffice) -> None:
    unknown = b"550-5.1.1 no such\r\n550 5.1.1 person\r\n"
    async with any_office.sink(Script({"RCPT": [unknown]})):
        await any_office.enqueue("joe@far.test")
        await any_office.deliver()
    (raw,) = await any_office.host.messages_of("ann@example.test")
    assert raw.startswith(b"Return-Path: <>\r\n")
    report = parsed(raw)
    assert report.get_content_type() == "multipart/report"
    assert report["To"] == "ann@example.test"
    assert report["Auto-Submitted"] == "auto-replied"
    about, recipient = status_blocks(report)
    assert about["Reporting-MTA"] == "dns; mail.example.test"
    assert recipient["Final-Recipient"] == "rfc822; joe@far.test"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    assert recipient["Remote-MTA"] == "dns; mx2.far.test"
    assert recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 no such person"
    assert raw.count(MESSAGE) == 1
    assert b"Return-Path: <ann@example.test>" not in raw


async def test_a_long_message_comes_back_as_its_header(office: PostOffice) -> None:
    async with office.sink(Script({".": [b"552 5.3.4 too large\r\n"]})):
        await office.enqueue("joe@far.test", content=MESSAGE + b"secret body\r\n" * 30_000)
        await office.deliver()
    (raw,) = await office.host.messages_of("ann@example.test")
    assert b"text/rfc822-headers" in raw
    assert b"Subject: hello\r\n" in raw
    assert b"secret body" not in raw


async def test_a_bounce_goes_to_a_sender_elsewhere_with_the_null_path(any_office: PostOffice) -> None:
    async with any_office.sink() as home:
        home.script.replies["RCPT"] = [b"550 5.1.1 unknown\r\n"]
        await any_office.enqueue("joe@far.test", sender="eve@far.test")
        await any_office.deliver()
    (taken,) = home.messages
    assert (taken.sender, taken.recipients) == ("", ("eve@far.test",))
    assert await any_office.references() == {}


@pytest.mark.parametrize("content", [MESSAGE, MESSAGE + "grün\r\n".encode()])
async def test_a_bounce_of_plain_addresses_needs_no_smtputf8(office: PostOffice, content: bytes) -> None:
    async with office.sink() as home:
        home.script.replies["RCPT"] = [b"550 5.1.1 unknown\r\n"]
        await office.enqueue("joe@far.test", sender="eve@far.test", content=content)
        await office.deliver()
    assert len(home.messages) == 1


async def test_a_bounce_that_bounces_reaches_postmaster_once(any_office: PostOffice) -> None:
    async with any_office.sink(Script(always={"RCPT": b"550 5.1.1 unknown\r\n"})):
        await any_office.enqueue("joe@far.test", sender="eve@far.test")
        await any_office.deliver()
    (raw,) = await any_office.host.messages_of("ann@example.test")  # the owner's first mailbox
    assert status_blocks(parsed(raw))[1]["Final-Recipient"] == "rfc822; eve@far.test"
    assert await any_office.entries() == []


async def test_a_late_bounce_warns_nobody(office: PostOffice) -> None:
    async with office.sink(Script(always={"RCPT": BUSY})):
        await office.enqueue("joe@far.test", sender="")
        office.clock.forward(seconds=20_000)
        await office.deliver()
    assert await office.host.messages_of("ann@example.test") == []


async def test_a_bounce_that_nobody_takes_ends(
    any_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    async with any_office.sink(Script(always={"RCPT": b"550 5.1.1 unknown\r\n"})):
        await any_office.enqueue("joe@far.test", sender="gone@example.test")
        await any_office.deliver()
    assert "report dropped, nobody takes it" in caplog.text
    assert await any_office.entries() == []
    assert await any_office.references() == {}


async def test_a_bounce_never_goes_from_postmaster_to_elsewhere(office: PostOffice) -> None:
    await office.host.add_alias("postmaster@example.test", "chief@far.test", "ann@example.test")
    async with office.sink(Script(always={"RCPT": b"550 5.1.1 unknown\r\n"})):
        await office.enqueue("joe@far.test", sender="")
        await office.deliver()
    assert await office.entries() == []
    assert len(await office.host.messages_of("ann@example.test")) == 1


async def test_what_a_host_says_is_kept_on_one_bounded_line(any_office: PostOffice) -> None:
    rude = b"".join(b"450-\x00\x1b[2J" + b"x" * 900 + b"\r\n" for _ in range(100)) + b"450 end\r\n"
    async with any_office.sink(Script({"RCPT": [rude]}, extensions=MODERN)):
        await any_office.enqueue("joe@far.test")
        await any_office.deliver()
    (entry,) = await any_office.entries()
    assert entry.last_error.isprintable()
    assert len(entry.last_error) <= 1000


async def test_a_lost_content_is_reported_without_it(office: PostOffice) -> None:
    await office.enqueue_resolved(
        "list@example.test",
        Resolution(programs=("/bin/false",)),
        content=MESSAGE + b"x" * 70 + b"\r\n" * 200_000,
    )
    for path in (office.host.folder / "blobs").glob("??/*"):
        path.unlink()
    await office.deliver()
    (entry,) = await office.entries()
    assert entry.last_error == "the message's content is missing"
    office.clock.now = entry.expires_ms
    await office.deliver()
    (raw,) = await office.host.messages_of("ann@example.test")
    assert status_blocks(parsed(raw))[1]["Action"] == "failed"
