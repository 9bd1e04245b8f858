"""The charset of a command's strings (RFC 9051 §6.4.4, RFC 5530 has the code)."""

import codecs
import re

from freehold.protocols.imap.errors import CommandError, Status

_NAME = re.compile(rb"[A-Za-z0-9._:+-]{1,40}")
# Codecs that are no charsets of mail: escapes, domain names, and what always fails.
_NOT_CHARSETS = {"idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}


def find_charset(raw: bytes) -> str:
    """Give the codec's name for `decode_text`.

    Raises:
        CommandError: NO [BADCHARSET], naming the two that every server knows.
    """
    refused = CommandError("unknown charset", Status.NO, b"BADCHARSET (US-ASCII UTF-8)")
    if not _NAME.fullmatch(raw):
        raise refused
    try:
        name = codecs.lookup(raw.decode("ascii")).name
        b"a".decode(name)
    except (LookupError, ValueError) as error:
        raise refused from error
    if name.replace("-", "_") in _NOT_CHARSETS:
        raise refused
    return name


def decode_text(raw: bytes, charset: str | None) -> str:
    """Decode a string of a command; without a charset, UTF-8 is taken where US-ASCII does not do.

    Raises:
        CommandError: the octets are not valid in the charset.
    """
    try:
        return raw.decode("utf-8" if charset is None or charset == "ascii" else charset)
    except UnicodeError as error:
        raise CommandError("a string is not valid in its charset") from error
