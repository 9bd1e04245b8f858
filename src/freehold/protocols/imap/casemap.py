"""The collation i;unicode-casemap (RFC 5051), by which SORT and THREAD compare text (RFC 5256 §3)."""

import unicodedata


def casemap(text: str) -> str:
    """Return the form in which equal texts are equal and others sort by code point."""
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFKD", text.upper())
