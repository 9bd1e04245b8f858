"""How much of a connection's memory and patience one command may use.

There are two sets: a stranger gets the small one, someone who logged in the large one.
"""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one command, in octets.

    `line`: text of a command without its literals (RFC 7162 §4 asks for 8 KiB at least).
    `literals`: all literals of a command together; a message to append is streamed and not counted.
    `nonsynchronising`: the largest `{n+}` (RFC 7888 §5: 4096 for LITERAL-, no bound for LITERAL+).
    `append`: the largest message literal (RFC 7889).
    `discard`: what is read only to be thrown away before the connection is given up (RFC 7888 §4).
    """

    line: int = 64 * KIB
    literals: int = 64 * KIB
    nonsynchronising: int = 2**63 - 1
    append: int = 2**32 - 1
    discard: int = 64 * MIB


STRANGER_LIMITS = Limits(
    line=40 * KIB, literals=8 * KIB, nonsynchronising=4 * KIB, append=0, discard=64 * KIB
)
"""Before login: long enough for ID as RFC 2971 §3.3 bounds it (32 KiB), and no more."""

MEMBER_LIMITS = Limits()
"""After login."""

MAX_TAG_BYTES = 64
MAX_ARGUMENTS = 1024
"""Most members of one parenthesised list, search keys included."""

MAX_NESTING = 32
"""Deepest parentheses and chained NOTs; the parser recurses, so this also bounds the stack."""

MAX_SEQUENCE_RANGES = 16_384
MAX_MAILBOX_BYTES = 1024
"""Longest mailbox name or list pattern as sent."""

MAX_SORT_KEYS = 64
MAX_FLAGS = 256
MAX_KEYWORD_BYTES = 128
MAX_LIST_PATTERNS = 64
MAX_FETCH_ITEMS = 256
MAX_SECTION_PARTS = 64
"""Deepest body part number, as in BODY[1.2.3]."""

MAX_CATENATE_PARTS = 1000
"""Texts and URLs of one message that CATENATE puts together."""

MAX_HEADER_FIELDS = 256
MAX_IDENTIFIER_BYTES = 400
"""Longest identifier of an access control list: an address of 320 and its sign, with room."""

MAX_ID_PAIRS = 30
MAX_ID_KEY_BYTES = 30
MAX_ID_VALUE_BYTES = 1024
"""The three bounds of RFC 2971 §3.3."""

MAX_NOTIFY_GROUPS = 32
"""Event groups of one NOTIFY."""

MAX_NOTIFY_EVENTS = 64
MAX_NOTIFY_NAMES = 100
"""Mailbox names of one event group; Dovecot's bound."""
