"""Text from octets in any charset that mail names.

Owns the choice of codec: aliases of the wild, refusal of codecs that are no charsets, and what is
done with octets that do not fit.
"""

import codecs
from functools import lru_cache

# What senders mean by these labels (WHATWG Encoding §4.2); supersets of what they say.
_ALIASES = {
    "ansi_x3.4-1968": "ascii",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "latin1": "cp1252",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "x-sjis": "cp932",
    "x-mac-roman": "mac_roman",
    "x-windows-949": "cp949",
}
# Codecs of Python that are no charsets, or take quadratic time.
_REFUSED = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
MAX_CHARSET_BYTES = 64


def decode_charset(data: bytes, charset: bytes) -> str:
    """Return the text of `data`; never fails.

    Octets that a known charset lacks become U+FFFD. Without a known charset (and for US-ASCII that
    is not) UTF-8 is tried, then Windows-1252.
    """
    codec = _codec(bytes(charset)) if charset else "ascii"
    if codec is not None and codec != "ascii":
        return _decode(data, codec)
    if data.isascii():
        return data.decode("ascii")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _decode(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec, "replace")
    except (UnicodeError, LookupError, ValueError):
        return data.decode("cp1252", "replace")


@lru_cache(maxsize=128)
def _codec(charset: bytes) -> str | None:
    """Return the name of the codec for a charset, or None where there is none."""
    label = charset[:MAX_CHARSET_BYTES].decode("ascii", "replace").strip(" \"'").lower()
    label = _ALIASES.get(label, label)
    if not label.isascii() or "\0" in label:
        return None
    try:
        name = codecs.lookup(label).name
        b"x".decode(name, "replace")
    except (LookupError, ValueError):
        return None
    normal = name.replace("-", "_")
    return None if normal in _REFUSED else name
