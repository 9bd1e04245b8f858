"""One row of each content with what SORT, THREAD and PREVIEW need, all of it computed once.

Texts to be compared are in the form of the collation i;unicode-casemap already: compare them as they are.
"""

import msgspec

from freehold.protocols.imap.base_subject import base_subject
from freehold.protocols.imap.casemap import casemap
from freehold.protocols.mime import header
from freehold.protocols.mime.addresses import Address, AddressItem, Group
from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.encoded_word import decode_words
from freehold.protocols.mime.preview import preview
from freehold.protocols.mime.structure import Part, header_end

MAX_KEY_CHARACTERS = 200
"""Of an address or name to be compared."""
MAX_REFERENCES = 100
"""Ids of one message at most: the first one and the latest."""
MAX_REFERENCE_CHARACTERS = 16 * 1024
"""All ids that one message names together, with a space after each; the oldest but the first give way."""
MAX_MESSAGE_ID_CHARACTERS = 998

Keys = tuple[int | None, str, bool, str, str, str, str, str, str, str, str]


class IndexRow(msgspec.Struct, frozen=True, array_like=True):
    """The columns of `message_index` behind `blob_id`, in the table's order."""

    sent_ms: int | None
    """The moment of the Date field; None: there is none, INTERNALDATE counts (RFC 5256 §2.2)."""
    base_subject: str
    """RFC 5256 §2.1, for comparison."""
    is_reply: bool
    """Something of a reply or forward was taken off the subject (RFC 5256 §3, REFERENCES, step 5)."""
    from_key: str
    """The first address's mailbox (local part, or the name of a group), for comparison (RFC 5256 §3)."""
    to_key: str
    cc_key: str
    display_from: str
    """The first address's name, else the whole address, for comparison (RFC 5957 §3)."""
    display_to: str
    message_id: str
    """Normal form without brackets, or ''."""
    reference_ids: str
    """Ids of References, else the first of In-Reply-To; separated by spaces, oldest first."""
    preview: str
    """RFC 8970; '' where there is no text."""

    @property
    def values(self) -> Keys:
        """The columns in order."""
        return msgspec.structs.astuple(self)


COLUMNS = IndexRow.__struct_fields__


def index_row(buffer: Buffer, part: Part) -> IndexRow:
    """Return the row of a scanned message; damaged fields give what can be read of them."""
    return _row(buffer, part.header_end, preview(buffer, part))


def header_row(head: bytes) -> IndexRow:
    """Return the row as far as a header tells it, for a message that is not indexed yet."""
    return _row(head, header_end(head, 0, len(head)), "")


def _row(buffer: Buffer, end: int, text: str) -> IndexRow:
    sent = header.date(buffer, 0, end)
    subject = base_subject(header.text(buffer, 0, end, b"subject") or "")
    senders = header.addresses(buffer, 0, end, b"from")
    recipients = header.addresses(buffer, 0, end, b"to")
    return IndexRow(
        None if sent is None else sent.utc_ms,
        _storable(casemap(subject.text)),
        subject.is_reply,
        _mailbox_key(senders),
        _mailbox_key(recipients),
        _mailbox_key(header.addresses(buffer, 0, end, b"cc")),
        _display_key(senders),
        _display_key(recipients),
        _normal_id(header.message_id(buffer, 0, end) or b""),
        " ".join(_references(buffer, end)),
        _storable(text),
    )


def _mailbox_key(items: tuple[AddressItem, ...]) -> str:
    match items:
        case (Address(local=local), *_):
            return _key((local or b"").decode("utf-8", "replace"))
        case (Group(name=name), *_):
            return _key(decode_words(name))
        case _:
            return ""


def _display_key(items: tuple[AddressItem, ...]) -> str:
    match items:
        case (Address(name=name, local=local, domain=domain), *_):
            shown = decode_words(name) if name else ""
            return _key(shown or b"@".join(filter(None, (local, domain))).decode("utf-8", "replace"))
        case (Group(name=name), *_):
            return _key(decode_words(name))
        case _:
            return ""


def _key(text: str) -> str:
    return _storable(casemap(text[:MAX_KEY_CHARACTERS]))


def _references(buffer: Buffer, end: int) -> list[str]:
    ids = header.message_ids(header.first_value(buffer, 0, end, b"references") or b"")
    if not ids:
        ids = header.message_ids(header.first_value(buffer, 0, end, b"in-reply-to") or b"")[:1]
    if len(ids) > MAX_REFERENCES:
        ids = (ids[0], *ids[1 - MAX_REFERENCES :])
    return _fitting([_normal_id(each) for each in ids])


def _fitting(ids: list[str]) -> list[str]:
    """Return the first id and as many of the latest as there is room for."""
    room = MAX_REFERENCE_CHARACTERS - len(ids[0]) if ids else 0
    for place in range(len(ids) - 1, 0, -1):
        room -= 1 + len(ids[place])
        if room < 0:
            return [ids[0], *ids[place + 1 :]]
    return ids


def _normal_id(raw: bytes) -> str:
    """Return an id without needless quotes, so that its two spellings are one (RFC 5256 §3)."""
    text = raw.decode("utf-8", "replace")
    if '"' in text:
        local, at, domain = text.rpartition("@")
        if len(local) > 1 and local.startswith('"') and local.endswith('"'):
            text = local[1:-1].replace("\\", "") + at + domain
    return _storable("".join(text.split()))[:MAX_MESSAGE_ID_CHARACTERS]


def _storable(text: str) -> str:
    """Return text as every database keeps it: without NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
