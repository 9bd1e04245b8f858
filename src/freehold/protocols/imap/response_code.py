"""Response codes, without their brackets (RFC 9051 §7.1, RFC 7162, RFC 4315, RFC 5530)."""

from collections.abc import Iterable

from freehold.protocols.imap.sequence_set import format_numbers
from freehold.protocols.imap.url import quotable
from freehold.protocols.imap.wire_string import quote_string

ALERT = b"ALERT"
ALREADYEXISTS = b"ALREADYEXISTS"
AUTHENTICATIONFAILED = b"AUTHENTICATIONFAILED"
AUTHORIZATIONFAILED = b"AUTHORIZATIONFAILED"
CANNOT = b"CANNOT"
CLIENTBUG = b"CLIENTBUG"
CLOSED = b"CLOSED"
COMPRESSIONACTIVE = b"COMPRESSIONACTIVE"
CORRUPTION = b"CORRUPTION"
EXPUNGEISSUED = b"EXPUNGEISSUED"
HASCHILDREN = b"HASCHILDREN"
INUSE = b"INUSE"
LIMIT = b"LIMIT"
NOMODSEQ = b"NOMODSEQ"
NONEXISTENT = b"NONEXISTENT"
NOPERM = b"NOPERM"
NOTSAVED = b"NOTSAVED"
OVERQUOTA = b"OVERQUOTA"
PARSE = b"PARSE"
PRIVACYREQUIRED = b"PRIVACYREQUIRED"
READ_ONLY = b"READ-ONLY"
READ_WRITE = b"READ-WRITE"
SERVERBUG = b"SERVERBUG"
TOOBIG = b"TOOBIG"
TRYCREATE = b"TRYCREATE"
UIDNOTSTICKY = b"UIDNOTSTICKY"
UNAVAILABLE = b"UNAVAILABLE"
UNKNOWN_CTE = b"UNKNOWN-CTE"
UIDREQUIRED = b"UIDREQUIRED"
USEATTR = b"USEATTR"


def bad_url(url: bytes) -> bytes:
    """Name the URL that could not be used (RFC 4469 §4.1)."""
    return b"BADURL " + quotable(url)


def uid_next(uid: int) -> bytes:
    """Give the UID that the next message will get."""
    return b"UIDNEXT %d" % uid


def uid_validity(value: int) -> bytes:
    """Give the mailbox's UIDVALIDITY."""
    return b"UIDVALIDITY %d" % value


def mailbox_id(object_id: str) -> bytes:
    """Give the mailbox's object id (RFC 8474 §4.1, §4.2)."""
    return b"MAILBOXID (%b)" % object_id.encode("ascii")


def no_update(tag: bytes) -> bytes:
    """Say that a search result is not kept up to date (RFC 5267 §4.3.1)."""
    return b"NOUPDATE " + quote_string(tag)


def unseen(number: int) -> bytes:
    """Give the first unseen message's number (RFC 3501 §7.1)."""
    return b"UNSEEN %d" % number


def highest_mod_sequence(value: int) -> bytes:
    """Give the mailbox's highest mod-sequence (RFC 7162 §3.1.2.1)."""
    return b"HIGHESTMODSEQ %d" % value


def modified(numbers: Iterable[int]) -> bytes:
    """Give the messages that UNCHANGEDSINCE kept from being stored (RFC 7162 §3.1.3)."""
    return b"MODIFIED " + format_numbers(numbers)


def permanent_flags(flags: Iterable[str], *, keywords: bool) -> bytes:
    r"""Give the flags that last; `\*` says that new keywords can be made."""
    names = [flag.encode("ascii") for flag in flags]
    if keywords:
        names.append(b"\\*")
    return b"PERMANENTFLAGS (" + b" ".join(names) + b")"


def capability(names: Iterable[str]) -> bytes:
    """Give the capabilities along with a status response."""
    return b"CAPABILITY " + " ".join(names).encode("ascii")


def append_uid(validity: int, uids: Iterable[int]) -> bytes:
    """Give the UIDs of appended messages (RFC 4315 §3)."""
    return b"APPENDUID %d %b" % (validity, format_numbers(uids))


def copy_uid(validity: int, sources: Iterable[int], targets: Iterable[int]) -> bytes:
    """Give what copied messages are called where they went, in corresponding order (RFC 4315 §3)."""
    return b"COPYUID %d %b %b" % (validity, format_numbers(sources), format_numbers(targets))
