"""The selected folder as one session sees it."""

from collections.abc import Sequence

from freehold.modules.mail.folders.access import Access
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.rights import Right
from freehold.modules.mail.folders.seen import Reading
from freehold.modules.mail.imap.selected.live_result import LiveResult
from freehold.modules.mail.imap.selected.uid_map import UidMap

NOTHING_SAVED = UidMap()
"""What `$` stands for at first; shared, and never changed but replaced."""


class View:
    r"""What the client has been told of the folder it has open.

    `known_modseq` is up to where additions and flags were told, `expunged_modseq` up to where
    expunges were: they wait while the client counts by message numbers (RFC 9051 §7.5.1).
    `recent` are the UIDs that are \Recent in this session, `keywords` those told in FLAGS.
    `mailbox_id` is whose folder it is; `reader_id` is 0 for that person, else who reads, whose \Seen is
    kept apart. `rights` are what may be done, as of the command's beginning (`access.check_rights`).
    `saved` is what `$` stands for, `contexts` are the results kept up to date (RFC 5267); `uid_only`
    says that the client counts by UIDs alone (RFC 9586).
    """

    __slots__ = (
        "contexts",
        "expunged_modseq",
        "folder_id",
        "keywords",
        "known_modseq",
        "mailbox_id",
        "read_only",
        "reader_id",
        "recent",
        "rights",
        "saved",
        "uid_next",
        "uid_only",
        "uid_validity",
        "uids",
    )

    def __init__(self, access: Access, *, read_only: bool) -> None:
        self.folder_id = access.folder.id
        self.uid_validity = access.folder.uid_validity
        self.mailbox_id = access.mailbox_id
        self.reader_id = access.reader_id
        self.rights: Right = access.rights
        self.read_only = read_only
        self.uids = UidMap()
        self.recent = UidMap()
        self.keywords: frozenset[str] = frozenset()
        self.known_modseq = self.expunged_modseq = 0
        self.uid_next = 1
        self.saved = NOTHING_SAVED
        self.contexts: Sequence[LiveResult] = ()
        self.uid_only = False

    @property
    def reading(self) -> Reading:
        """Who reads which folder; only where `reader_id` is not 0."""
        return Reading(self.reader_id, self.mailbox_id, self.folder_id)

    def pass_over(self, previous: int, modseq: int) -> None:
        """Take a change that this session made and tells itself as told.

        It is, unless something else happened since the client was last told: `previous` is the folder's
        modseq before the change at `modseq`.
        """
        if not self.contexts and previous == self.known_modseq == self.expunged_modseq:
            self.known_modseq = self.expunged_modseq = max(previous, modseq)

    def open(self, uids: UidMap, recent: tuple[int, int]) -> None:
        r"""Take the messages that SELECT found; those from recent[0] to below recent[1] are \Recent here."""
        self.uids = uids.copy()
        first, behind = recent
        self.recent = UidMap(uids.uid_ranges(uids.rank(first), uids.rank(behind)))

    def add(self, ranges: list[UidRange], recent: tuple[int, int]) -> None:
        r"""Add new messages; those from recent[0] to below recent[1] are \Recent here."""
        self.uids.extend(ranges)
        first, behind = recent
        self.recent.extend(
            (max(low, first), min(high, behind - 1))
            for low, high in ranges
            if max(low, first) <= min(high, behind - 1)
        )

    def remove(self, ranges: list[UidRange]) -> list[range]:
        """Remove expunged messages; returns the ascending ranges of indexes that they had."""
        self.recent.remove(ranges)
        return self.uids.remove(ranges)
