"""Mail from one Freehold's queue into another one's mailbox, and large mail in little memory."""

import dataclasses
import tracemalloc
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest

from freehold.kernel.resolver import MxHost
from freehold.modules.mail.smtp.service import Door
from freehold.storage.open import open_database
from tests.mail_host import SCHEMAS, MailHost, mail_host
from tests.modules.mail.queue.post_office import MESSAGE, PostOffice
from tests.smtp_sink import MODERN, PLAIN, Script

LARGE = MESSAGE + (b"x" * 998 + b"\r\n") * 20_000


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[MailHost]:
    """A second host with carl@other.test."""
    folder = tmp_path / "other"
    folder.mkdir()
    database = await open_database(str(folder / "freehold.db"), schemas=SCHEMAS)
    async with mail_host(database, folder) as host:
        host.runtime = dataclasses.replace(host.runtime, hostname="mail.other.test")
        host.resolver.exchangers["example.test"] = [MxHost(1, "mail.example.test")]
        await host.add_people("carl@other.test", "dora@other.test")
        yield host
    await database.close()


def point_to(office: PostOffice, port: int) -> None:
    """Let other.test's mail go to a port of this machine."""
    office.host.resolver.exchangers["other.test"] = [MxHost(1, "mail.other.test")]
    office.host.resolver.hosts["mail.other.test"] = [ip_address("127.0.0.1")]
    office.configure(msgspec.structs.replace(office.settings, smtp_port=port))


async def test_a_message_goes_from_one_freehold_to_another(any_office: PostOffice, other: MailHost) -> None:
    async with other.listening(other.smtp(Door.EXCHANGE)) as port:
        point_to(any_office, port)
        await any_office.enqueue("carl@other.test", "dora@other.test")
        assert await any_office.deliver() == 1
    (stored,) = await other.messages_of("carl@other.test")
    assert stored.startswith(
        b"Return-Path: <ann@example.test>\r\nReceived: from mail.example.test ([127.0.0.1])"
    )
    assert b"with ESMTPS (TLSv1.3" in stored
    assert stored.endswith(MESSAGE)
    assert stored.count(b"Return-Path:") == 1
    assert await other.messages_of("dora@other.test") == [stored]
    assert await any_office.references() == {}


async def test_an_unknown_person_there_is_a_bounce_here(any_office: PostOffice, other: MailHost) -> None:
    async with other.listening(other.smtp(Door.EXCHANGE)) as port:
        point_to(any_office, port)
        await any_office.enqueue("carl@other.test", "nobody@other.test")
        await any_office.deliver()
    assert len(await other.messages_of("carl@other.test")) == 1
    (report,) = await any_office.host.messages_of("ann@example.test")
    assert b"Status: 5.1.1" in report
    assert b"Final-Recipient: rfc822; nobody@other.test" in report


@pytest.mark.parametrize("extensions", [PLAIN, MODERN])
async def test_a_large_message_is_relayed_in_little_memory(
    office: PostOffice, extensions: tuple[str, ...]
) -> None:
    script = Script(extensions=extensions, keeps_content=False)
    async with office.sink(script) as sink:
        await office.enqueue("joe@far.test", content=LARGE)
        tracemalloc.start()
        try:
            await office.deliver()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(sink.messages) == 1
    assert sink.octets >= len(LARGE)
    assert peak < 5_000_000


async def test_the_file_of_a_large_message_goes_soon_after_the_message(any_office: PostOffice) -> None:
    async with any_office.sink(Script(keeps_content=False)):
        await any_office.enqueue("joe@far.test", content=LARGE)
        await any_office.deliver()
    files = any_office.host.folder / "blobs"
    assert len(list(files.glob("??/*"))) == 1
    await any_office.runtime.blobs.remove_discarded()
    assert list(files.glob("??/*")) == []
