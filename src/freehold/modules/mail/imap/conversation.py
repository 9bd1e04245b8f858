"""The state of one session, as the command families see it."""

from dataclasses import dataclass

from freehold.kernel.bus import Event
from freehold.kernel.stream import Peer
from freehold.modules.mail.events import FolderChanged, FolderListChanged, ServerMetadataChanged
from freehold.modules.mail.imap.context import ImapContext
from freehold.modules.mail.imap.errors import FolderClosedError, ReadOnlyError
from freehold.modules.mail.imap.notify_state import Registration
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.imap.watchers import News
from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.errors import Status


@dataclass(frozen=True, slots=True)
class Reply:
    """A tagged reply; `own` are modseqs of changes of flags that the command itself has told."""

    text: str
    code: bytes | None = None
    status: Status = Status.OK
    own: tuple[int, ...] = ()


class Conversation:
    """Who talks, which folder is open, and the way to the peer.

    `mailbox_id` is the person's own mailbox, 0 before login; whose the open folder is, its view says.
    `condstore`, `qresync`, `rev2` (IMAP4rev2), `uid_only` and `utf8_accept` say what the client has enabled.
    """

    __slots__ = (
        "condstore",
        "connection",
        "context",
        "has_starttls",
        "is_compressed",
        "login_failures",
        "mailbox_id",
        "notify",
        "peer",
        "qresync",
        "rev2",
        "uid_only",
        "utf8_accept",
        "view",
    )

    def __init__(self, context: ImapContext, peer: Peer, connection: ServerConnection) -> None:
        self.context = context
        self.peer = peer
        self.connection = connection
        self.has_starttls = False
        self.is_compressed = False
        self.mailbox_id = 0
        self.view: View | None = None
        self.condstore = False
        self.qresync = False
        self.rev2 = False
        self.uid_only = False
        self.utf8_accept = False
        self.login_failures = 0
        self.notify: Registration | None = None

    @property
    def selected(self) -> View:
        """The open folder; the connection's state machine lets no command come here without one."""
        if self.view is None:
            raise FolderClosedError
        return self.view

    @property
    def writable(self) -> View:
        """The open folder, if it may be changed.

        Raises:
            ReadOnlyError: it was opened by EXAMINE.
        """
        view = self.selected
        if view.read_only:
            raise ReadOnlyError
        return view

    def send(self, data: bytes) -> None:
        """Queue bytes for the client."""
        self.peer.send(data)

    def hear(self, _news: News) -> None:
        """Have the session look for news of the open folder."""
        self.peer.wake()

    def folder_changed(self, folder_id: int, modseq: int, *, mailbox_id: int = 0) -> None:
        """Tell other sessions of a change that was committed; 0 says that nothing changed.

        `mailbox_id` is whose folder it is, here and below; 0: the person's own.
        """
        if modseq:
            self._publish(FolderChanged(mailbox_id or self.mailbox_id, folder_id, modseq))

    def folder_closed(self, folder_id: int, *, mailbox_id: int = 0) -> None:
        """Have sessions that idle in a folder look whether it is still there, and theirs to read."""
        self._publish(FolderChanged(mailbox_id or self.mailbox_id, folder_id, 0))

    def folders_changed(self, *, mailbox_id: int = 0) -> None:
        """Tell of folders that were made, removed, renamed, shared or subscribed to."""
        self._publish(FolderListChanged(mailbox_id or self.mailbox_id))

    def server_metadata_changed(self) -> None:
        """Tell the person's other sessions of changed annotations of the server."""
        self._publish(ServerMetadataChanged(self.mailbox_id))

    def _publish(self, event: Event) -> None:
        self.context.bus.publish(event)
