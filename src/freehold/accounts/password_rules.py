"""Which passwords are taken, and the one form in which a password is hashed."""

import unicodedata

from freehold.accounts.errors import WeakPasswordError

MIN_PASSWORD_CHARS = 8
"""NIST SP 800-63B §5.1.1.2; composition rules are left out for the reason given there."""
MAX_PASSWORD_BYTES = 1024
"""A password at most, in UTF-8: it bounds what a stranger can have hashed."""

_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Cn"})  # RFC 8264 §9.10, §9.12, and surrogates


def prepare_password(password: str) -> str | None:
    """Return a password by the OpaqueString profile (RFC 8265 §4.2.2), or None if it can be none.

    Other spaces become U+0020 and the text is NFC, so that every keyboard types the same password.
    """
    if password.isascii():
        prepared = password
    elif len(password) > MAX_PASSWORD_BYTES:
        return None
    else:
        spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
        prepared = unicodedata.normalize("NFC", spaced)
    if not prepared or any(unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in prepared):
        return None
    return prepared if len(prepared.encode()) <= MAX_PASSWORD_BYTES else None


def check_new_password(password: str) -> str:
    """Return a new password in the form that is hashed.

    Raises:
        WeakPasswordError: too short, too long, or with control characters.
    """
    if len(password) > MAX_PASSWORD_BYTES:
        raise WeakPasswordError(f"the password is longer than {MAX_PASSWORD_BYTES} bytes")
    prepared = prepare_password(password)
    if prepared is None:
        raise WeakPasswordError(
            f"the password is empty, longer than {MAX_PASSWORD_BYTES} bytes or has control characters"
        )
    if len(prepared) < MIN_PASSWORD_CHARS:
        raise WeakPasswordError(f"the password is too short: at least {MIN_PASSWORD_CHARS} characters")
    return prepared
