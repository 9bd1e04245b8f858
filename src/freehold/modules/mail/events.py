"""What mail tells the other parts of the program."""

from freehold.kernel.bus import Event


class FolderChanged(Event, frozen=True, tag=True):
    """A folder has changes up to `modseq`; sessions that show it read them from the change log."""

    mailbox_id: int
    folder_id: int
    modseq: int


class FolderListChanged(Event, frozen=True, tag=True):
    """A mailbox's folders were made, renamed, removed, shared or subscribed to, or others share with it."""

    mailbox_id: int


class ServerMetadataChanged(Event, frozen=True, tag=True):
    """A person's own annotations of the server changed; `mailbox_id` is that person's."""

    mailbox_id: int


class QueueChanged(Event, frozen=True, tag=True):
    """The queue has something due at `due_ms` or was edited; the queue runner looks again."""

    due_ms: int
