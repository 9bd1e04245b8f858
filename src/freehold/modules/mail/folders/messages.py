r"""Messages as one person sees them: `message AS m`, or the same columns with a reader's own \Seen."""

from freehold.modules.mail.model import Flag

MESSAGES = "message AS m"

_SHARED_FLAGS = sum(Flag) & ~Flag.SEEN

READER_MESSAGES = (
    "(SELECT t.id, t.mailbox_id, t.blob_id,"  # noqa: S608 - this program's own words
    " CASE WHEN r.modseq > t.modseq THEN r.modseq ELSE t.modseq END AS modseq,"
    f" (t.flags & {_SHARED_FLAGS}) | COALESCE(r.seen, 0) AS flags,"
    " t.keywords, t.internal_ms, t.saved_ms, t.size_bytes"
    " FROM message AS t LEFT JOIN message_seen AS r ON r.reader_id = ? AND r.message_id = t.id) AS m"
)
"""What stands for `MESSAGES` in a statement for a reader; its parameter is the reader."""


def messages_of(reader_id: int) -> tuple[str, tuple[int, ...]]:
    r"""Return what to select from, and its parameters; `reader_id` is 0 for the folder's owner.

    A flag or a modseq of `message` itself is the owner's view: whoever reads either for somebody must
    select from what this returns.
    """
    return (READER_MESSAGES, (reader_id,)) if reader_id else (MESSAGES, ())
