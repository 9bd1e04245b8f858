"""Folder names: one spelling of each, and what may become one.

Names are Unicode paths with '/' between levels, composed (NFC, RFC 9051 §5.1, RFC 5198 §3). INBOX is the
same in any case.
"""

from unicodedata import normalize

from freehold.modules.mail.folders.errors import FolderNameError

DELIMITER = "/"
OTHER_USERS = "Other Users"
"""The level above the folders of others (RFC 2342); nobody's own folder can have this name."""
INBOX = "INBOX"
MAX_NAME_CHARACTERS = 512
"""Length of a whole path at the most."""
MAX_LEVELS = 32
"""Levels of a path at the most."""

_WILDCARDS = frozenset("*%")
_FIRST_PRINTABLE = " "
_DELETE = "\x7f"


def canonical_name(name: str) -> str:
    """Return the one spelling of a name that may exist; nothing is checked."""
    if not name.isascii():
        name = normalize("NFC", name)
    if name[:5].isascii() and name[:5].upper() == INBOX and name[5:6] in {"", DELIMITER}:
        return INBOX + name[5:]
    return name


def new_name(name: str) -> str:
    """Return the spelling of a name to be created; a delimiter at its end is dropped (RFC 9051 §6.3.4).

    Raises:
        FolderNameError: a level is empty, it is too long or deep, has control characters or wildcards, or
            is kept for the folders of others.
    """
    name = canonical_name(name.removesuffix(DELIMITER))
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise FolderNameError("folder name is empty or too long")
    if is_name_of_others(name):
        raise FolderNameError("this name is kept for the folders of others")
    levels = name.split(DELIMITER)
    if len(levels) > MAX_LEVELS:
        raise FolderNameError("folder name has too many levels")
    if not all(level and level not in {".", ".."} and level == level.strip() for level in levels):
        raise FolderNameError("folder name has an empty level, or space around one")
    if any(each < _FIRST_PRINTABLE or each == _DELETE or each in _WILDCARDS for each in name):
        raise FolderNameError("folder name has control characters or wildcards")
    if not _is_encodable(name):
        raise FolderNameError
    return name


def is_name_of_others(name: str) -> bool:
    """Tell whether a name is in the namespace of others, or is that namespace."""
    return name.startswith(OTHER_USERS) and name[len(OTHER_USERS) :][:1] in {"", DELIMITER}


def parents(name: str) -> list[str]:
    """Return the names above a name, topmost first."""
    levels = name.split(DELIMITER)
    return [DELIMITER.join(levels[:depth]) for depth in range(1, len(levels))]


def subtree(name: str) -> tuple[str, str]:
    """Return the bounds (from, below) of the names under a name, as code points sort."""
    return name + DELIMITER, name + chr(ord(DELIMITER) + 1)


def _is_encodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
