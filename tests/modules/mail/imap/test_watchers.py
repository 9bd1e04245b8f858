"""The register of watching sessions: who is woken by what, and how seldom."""

import asyncio

import pytest

from freehold.kernel.bus import NewsMissed
from freehold.kernel.bus_client import LocalBus
from freehold.modules.mail.events import FolderChanged, FolderListChanged, ServerMetadataChanged
from freehold.modules.mail.imap import watchers as watchers_module
from freehold.modules.mail.imap.watchers import ALL_NEWS, WOKEN_AT_ONCE, News, Watchers

PATIENCE_SECONDS = 10.0


class Watcher:
    """Counts its wakes, and keeps all news."""

    def __init__(self) -> None:
        self.wakes = 0
        self.news = News(0)
        self.woken = asyncio.Event()

    def hear(self, news: News) -> None:
        self.wakes += 1
        self.news |= news
        self.woken.set()

    async def wait(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.woken.wait()
        self.woken.clear()


@pytest.fixture
async def bus() -> LocalBus:
    return LocalBus()


async def passed(bus: LocalBus) -> None:
    """Return once all that was published has been told."""
    told = asyncio.Event()
    end = bus.subscribe(FolderListChanged, lambda _event: told.set())
    bus.publish(FolderListChanged(0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await told.wait()
    end()


async def test_thousands_sleep_while_other_folders_change(bus: LocalBus) -> None:
    watchers, sleepers = Watchers(bus), [Watcher() for _ in range(5_000)]
    for number, sleeper in enumerate(sleepers):
        watchers.watch(number, sleeper.hear)
    for number in range(1_000):
        bus.publish(FolderChanged(70_000 + number, 80_000 + number, number))
    bus.publish(FolderChanged(1, 7, 1))
    await passed(bus)
    assert [number for number, sleeper in enumerate(sleepers) if sleeper.wakes] == [7]


async def test_a_burst_is_one_wake_and_one_more_for_what_came_meanwhile(
    bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchers_module, "ROUND_SECONDS", 0.5)  # longer than a busy machine needs to tell
    watchers, one, two = Watchers(bus), Watcher(), Watcher()
    watchers.watch(5, one.hear)
    watchers.follow(1, two.hear)
    for modseq in range(1_000):
        bus.publish(FolderChanged(1, 5, modseq))
    await passed(bus)
    assert (one.wakes, two.wakes) == (1, 1)
    await one.wait()
    await one.wait()
    assert (one.wakes, two.wakes) == (2, 2)
    bus.publish(FolderListChanged(1))
    await two.wait()
    while News.NAMES not in two.news:
        await two.wait()
    assert News.NAMES not in one.news


async def test_all_who_watch_are_told_once_that_news_were_missed(bus: LocalBus) -> None:
    watchers, all_of_them = Watchers(bus), [Watcher() for _ in range(WOKEN_AT_ONCE + 10)]
    for number, watcher in enumerate(all_of_them):
        watchers.watch(number, watcher.hear)
    bus.publish(NewsMissed())
    for watcher in all_of_them:
        await watcher.wait()
    assert {watcher.wakes for watcher in all_of_them} == {1}
    assert {watcher.news for watcher in all_of_them} == {ALL_NEWS}


async def test_annotations_of_the_server_wake_that_persons_sessions_only(bus: LocalBus) -> None:
    watchers, own, other = Watchers(bus), Watcher(), Watcher()
    watchers.follow(1, own.hear)
    watchers.follow(2, other.hear)
    watchers.watch(1, other.hear)
    bus.publish(ServerMetadataChanged(1))
    await own.wait()
    assert (own.news, other.wakes) == (News.SERVER, 0)


async def test_who_has_left_is_not_woken_even_in_the_middle_of_a_round(bus: LocalBus) -> None:
    watchers, stays, leaves = Watchers(bus), Watcher(), Watcher()
    for watcher in (stays, leaves):
        watchers.watch(5, watcher.hear)
    bus.publish(FolderChanged(1, 5, 1))
    bus.publish(FolderChanged(1, 5, 2))
    await stays.wait()
    watchers.unwatch(5, leaves.hear)
    watchers.unwatch(5, leaves.hear)
    watchers.unfollow(9, leaves.hear)
    await stays.wait()
    assert (stays.wakes, leaves.wakes) == (2, 1)
