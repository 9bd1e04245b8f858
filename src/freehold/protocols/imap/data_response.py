"""Untagged data about mailboxes, messages and the server as octets (RFC 9051 §7.2 to §7.5).

FETCH responses are put together from ready-made items; `fetch_line` only frames them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from freehold.protocols.imap.mailbox_name import encode_mailbox_name
from freehold.protocols.imap.sequence_set import format_ranges
from freehold.protocols.imap.status import StatusItem
from freehold.protocols.imap.wire_string import astring, literal, nstring, quote_string, string

DELIMITER = b"/"


def capability(names: Iterable[str]) -> bytes:
    """Write CAPABILITY."""
    return b"* CAPABILITY %b\r\n" % " ".join(names).encode("ascii")


def enabled(names: Iterable[str]) -> bytes:
    """Write ENABLED; there may be no names."""
    return b" ".join([b"* ENABLED", *(name.encode("ascii") for name in names)]) + b"\r\n"


def identify(parameters: Mapping[str, str | None]) -> bytes:
    """Write ID, NIL if there is nothing to say (RFC 2971)."""
    if not parameters:
        return b"* ID NIL\r\n"
    pairs = chain.from_iterable(parameters.items())
    words = (nstring(None if word is None else word.encode("utf-8")) for word in pairs)
    return b"* ID (%b)\r\n" % b" ".join(words)


def namespace(personal: Sequence[str], others: Sequence[str] = (), shared: Sequence[str] = ()) -> bytes:
    """Write NAMESPACE; each argument holds the prefixes of one class (RFC 2342)."""
    return b"* NAMESPACE %b %b %b\r\n" % (_namespaces(personal), _namespaces(others), _namespaces(shared))


def mailbox_name(name: str, *, utf8: bool = False) -> bytes:
    """Write a mailbox name as an astring; with `utf8` it may hold octets over 127, always quoted."""
    raw = encode_mailbox_name(name, utf8=utf8)
    return astring(raw) if raw.isascii() else quote_string(raw)


def list_line(
    attributes: Iterable[str],
    name: str,
    *,
    child_info: Sequence[str] = (),
    old_name: str = "",
    utf8: bool = False,
) -> bytes:
    r"""Write LIST; attributes such as `\HasChildren`.

    `child_info` as RFC 5258 §3.5 has it; `old_name` is what the mailbox was called (RFC 9051 §6.3.9.7).
    """
    line = b"* LIST (%b) %b %b" % (
        _joined(attributes),
        quote_string(DELIMITER),
        mailbox_name(name, utf8=utf8),
    )
    extended = []
    if child_info:
        words = b" ".join(quote_string(word.encode("ascii")) for word in child_info)
        extended.append(b'"CHILDINFO" (%b)' % words)
    if old_name:
        extended.append(b'"OLDNAME" (%b)' % mailbox_name(old_name, utf8=utf8))
    if extended:
        line += b" (%b)" % b" ".join(extended)
    return line + b"\r\n"


def list_delimiter() -> bytes:
    r"""Write the answer to `LIST "" ""`, which asks for the delimiter."""
    return b'* LIST (\\Noselect) "/" ""\r\n'


def lsub_line(attributes: Iterable[str], name: str, *, utf8: bool = False) -> bytes:
    """Write LSUB."""
    return b'* LSUB (%b) "/" %b\r\n' % (_joined(attributes), mailbox_name(name, utf8=utf8))


def status_line(name: str, values: Mapping[StatusItem, int | str | None], *, utf8: bool = False) -> bytes:
    """Write STATUS; None is NIL (APPENDLIMIT without a limit), a text is an object id (RFC 8474 §4.3)."""
    words = (item.value + _status_value(value) for item, value in values.items())
    return b"* STATUS %b (%b)\r\n" % (mailbox_name(name, utf8=utf8), b" ".join(words))


def _status_value(value: int | str | None) -> bytes:
    match value:
        case None:
            return b" NIL"
        case str():
            return b" (%b)" % value.encode("ascii")
        case _:
            return b" %d" % value


def flags_line(flags: Iterable[str]) -> bytes:
    """Write FLAGS, the flags that the mailbox knows."""
    return b"* FLAGS (%b)\r\n" % _joined(flags)


def exists(count: int) -> bytes:
    """Write EXISTS."""
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    """Write RECENT (RFC 3501 §7.3.2)."""
    return b"* %d RECENT\r\n" % count


def expunge(number: int) -> bytes:
    """Write EXPUNGE of a message number."""
    return b"* %d EXPUNGE\r\n" % number


def vanished(uids: Iterable[tuple[int, int]], *, earlier: bool = False) -> bytes:
    """Write VANISHED of ranges of UIDs; empty if there are none (RFC 7162 §3.2.10)."""
    members = format_ranges(uids)
    if not members:
        return b""
    return (b"* VANISHED (EARLIER) %b\r\n" if earlier else b"* VANISHED %b\r\n") % members


def fetch_line(number: int, items: Iterable[bytes], *, word: bytes = b"FETCH") -> bytes:
    """Write FETCH of a message number from ready-made items, or UIDFETCH of a UID (RFC 9586 §3.3)."""
    return b"* %d %b (%b)\r\n" % (number, word, b" ".join(items))


def body_item(label: bytes, content: bytes | None) -> bytes:
    """Write a body section under its label; NIL for a part that does not exist."""
    if content is None:
        return label + b" NIL"
    return label + b" " + (literal(content) if content else string(content))


def _joined(words: Iterable[str]) -> bytes:
    return " ".join(words).encode("ascii")


def _namespaces(prefixes: Sequence[str]) -> bytes:
    if not prefixes:
        return b"NIL"
    quoted = (quote_string(encode_mailbox_name(prefix)) for prefix in prefixes)
    return b"(%b)" % b"".join(b"(%b %b)" % (prefix, quote_string(DELIMITER)) for prefix in quoted)
