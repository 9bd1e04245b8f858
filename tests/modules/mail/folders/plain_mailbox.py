"""A mailbox as plain Python values: what the folder store must do, said again as simply as can be."""

from dataclasses import dataclass, field

from freehold.modules.mail.folders.flags import FlagChange
from freehold.modules.mail.model import Flag


@dataclass
class PlainMessage:
    """What a message is known by."""

    content: int
    flags: int
    keywords: str
    size: int
    internal_ms: int


@dataclass
class PlainFolder:
    """Messages by UID."""

    messages: dict[int, PlainMessage] = field(default_factory=dict)
    uid_next: int = 1

    def add(self, message: PlainMessage) -> int:
        uid = self.uid_next
        self.uid_next += 1
        self.messages[uid] = PlainMessage(
            message.content, message.flags, message.keywords, message.size, message.internal_ms
        )
        return uid

    def change_flags(self, uids: set[int], change: FlagChange) -> set[int]:
        """Returns the UIDs whose flags became other."""
        changed = set()
        for uid in uids & self.messages.keys():
            message = self.messages[uid]
            flags, keywords = change.apply(message.flags, message.keywords)
            if (flags, keywords) != (message.flags, message.keywords):
                changed.add(uid)
            message.flags, message.keywords = flags, keywords
        return changed

    def expunge(self, uids: set[int]) -> set[int]:
        gone = {uid for uid in uids & self.messages.keys() if self.messages[uid].flags & Flag.DELETED}
        for uid in gone:
            del self.messages[uid]
        return gone

    @property
    def unseen(self) -> int:
        return sum(not message.flags & Flag.SEEN for message in self.messages.values())

    @property
    def size(self) -> int:
        return sum(message.size for message in self.messages.values())


class PlainMailbox:
    """Folders by name."""

    def __init__(self, *names: str) -> None:
        self.folders = {name: PlainFolder() for name in names}

    def copy(self, source: str, target: str, uids: set[int]) -> list[tuple[int, int]]:
        there = self.folders[source].messages
        copied = [(uid, there[uid]) for uid in sorted(uids & there.keys())]
        return [(uid, self.folders[target].add(message)) for uid, message in copied]

    def move(self, source: str, target: str, uids: set[int]) -> list[tuple[int, int]]:
        moved = self.copy(source, target, uids)
        for uid, _ in moved:
            del self.folders[source].messages[uid]
        return moved

    def references(self) -> dict[int, int]:
        """How often each content is named."""
        counts: dict[int, int] = {}
        for folder in self.folders.values():
            for message in folder.messages.values():
                counts[message.content] = counts.get(message.content, 0) + 1
        return counts
