"""Which sessions want news of which folder or mailbox: one register for all sessions of a process.

News of what nobody watches costs one look into a dictionary. Whoever watches is woken at once after a
quiet time, and then no more than once in `ROUND_SECONDS`: a thousand deliveries into a watched folder
are a few dozen wakes for each session that watches it.
"""

import asyncio
from collections.abc import Callable, Iterator
from enum import IntFlag
from itertools import islice
from typing import Final

from freehold.kernel.bus import Bus, NewsMissed
from freehold.modules.mail.events import FolderChanged, FolderListChanged, ServerMetadataChanged

ROUND_SECONDS: Final = 0.03
"""How long further news of the same folder or mailbox waits; with the bus far below 100 ms."""

WOKEN_AT_ONCE: Final = 200
"""Folders and mailboxes whose watchers are woken together after news were missed."""

MISSED_SECONDS: Final = 0.02
"""The pause between such portions, for other work."""


class News(IntFlag):
    """What may have happened; whoever is woken looks for it in the database."""

    MESSAGES = 1
    NAMES = 2
    SERVER = 4


ALL_NEWS: Final = News.MESSAGES | News.NAMES | News.SERVER


Hear = Callable[[News], None]


class _Topic:
    """A watched folder or mailbox: who hears, and what they have not heard while a round lasts."""

    __slots__ = ("hearers", "is_quiet", "waiting")

    def __init__(self) -> None:
        self.hearers: dict[Hear, None] = {}
        self.waiting = News(0)
        self.is_quiet = True


class Watchers:
    """Wakes sessions that watch; an event that is lost costs only time."""

    __slots__ = ("_folders", "_loop", "_mailboxes")

    def __init__(self, bus: Bus) -> None:
        self._folders: dict[int, _Topic] = {}
        self._mailboxes: dict[int, _Topic] = {}
        self._loop = asyncio.get_running_loop()
        bus.subscribe(FolderChanged, self._on_change)
        bus.subscribe(FolderListChanged, self._on_list_change)
        bus.subscribe(ServerMetadataChanged, self._on_server_change)
        bus.subscribe(NewsMissed, self._on_missed)

    def watch(self, folder_id: int, hear: Hear) -> None:
        """Have `hear` called on changes of a folder."""
        self._folders.setdefault(folder_id, _Topic()).hearers[hear] = None

    def unwatch(self, folder_id: int, hear: Hear) -> None:
        """End that; does nothing where it was not asked for."""
        _leave(self._folders, folder_id, hear)

    def follow(self, mailbox_id: int, hear: Hear) -> None:
        """Have `hear` called on changes of a mailbox's folders, their list, and its notes of the server."""
        self._mailboxes.setdefault(mailbox_id, _Topic()).hearers[hear] = None

    def unfollow(self, mailbox_id: int, hear: Hear) -> None:
        """End that; does nothing where it was not asked for."""
        _leave(self._mailboxes, mailbox_id, hear)

    def _on_change(self, event: FolderChanged) -> None:
        if (topic := self._folders.get(event.folder_id)) is not None:
            self._tell(topic, News.MESSAGES)
        if (topic := self._mailboxes.get(event.mailbox_id)) is not None:
            self._tell(topic, News.MESSAGES)

    def _on_list_change(self, event: FolderListChanged) -> None:
        if (topic := self._mailboxes.get(event.mailbox_id)) is not None:
            self._tell(topic, News.NAMES)

    def _on_server_change(self, event: ServerMetadataChanged) -> None:
        if (topic := self._mailboxes.get(event.mailbox_id)) is not None:
            self._tell(topic, News.SERVER)

    def _on_missed(self, _event: NewsMissed) -> None:
        self._tell_portion(iter([*self._folders.values(), *self._mailboxes.values()]))

    def _tell_portion(self, topics: Iterator[_Topic]) -> None:
        told = False
        for topic in islice(topics, WOKEN_AT_ONCE):
            told = True
            self._tell(topic, ALL_NEWS)
        if told:
            self._loop.call_later(MISSED_SECONDS, self._tell_portion, topics)

    def _tell(self, topic: _Topic, news: News) -> None:
        topic.waiting |= news
        if topic.is_quiet:
            self._begin_round(topic)

    def _begin_round(self, topic: _Topic) -> None:
        """Tell what waits, and have what comes meanwhile wait; without any the topic falls quiet."""
        news, topic.waiting = topic.waiting, News(0)
        topic.is_quiet = not news or not topic.hearers
        if topic.is_quiet:
            return
        self._loop.call_later(ROUND_SECONDS, self._begin_round, topic)
        for hear in tuple(topic.hearers):
            hear(news)


def _leave(topics: dict[int, _Topic], key: int, hear: Hear) -> None:
    topic = topics.get(key)
    if topic is None:
        return
    topic.hearers.pop(hear, None)
    if not topic.hearers:
        del topics[key]
