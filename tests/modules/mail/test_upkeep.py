"""What has served its time goes: traces after thirty days, orphaned files after one."""

import os

import pytest

from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.upkeep import sweep
from tests.mail_host import MailHost
from tests.modules.mail.queue.post_office import DAY_MS, PostOffice
from tests.smtp_sink import Script


@pytest.mark.parametrize(("days", "states"), [(29, ["bounced"]), (31, [])])
async def test_a_trace_is_kept_for_thirty_days(any_host: MailHost, days: int, states: list[str]) -> None:
    office = PostOffice(any_host, QueueSettings())
    async with office.sink(Script({"RCPT": [b"550 5.1.1 unknown\r\n"]})):
        await office.enqueue("joe@far.test", sender="")
        await office.deliver()
    office.clock.forward(seconds=days * DAY_MS / 1000)
    await sweep(office.runtime)
    assert await office.states("joe@far.test") == states


async def test_a_file_that_nobody_names_goes_after_a_day(host: MailHost) -> None:
    folder = host.folder / "blobs" / "ab"
    folder.mkdir(parents=True)
    now = host.runtime.clock.now_ms() / 1000
    for name, age in (("abcd01", 3600), ("abcd02", 90_000)):
        (folder / name).touch()
        os.utime(folder / name, (now - age, now - age))
    await sweep(host.runtime)
    assert [path.name for path in folder.iterdir()] == ["abcd01"]
