"""The values of Content-Type and Content-Disposition, with their parameters.

Owns RFC 2045 §5.1, RFC 2183 and the continuations and charsets of RFC 2231. Malformed input always
gives some value: the types fall back as RFC 2045 §5.2 says.
"""

import re
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec

from freehold.protocols.mime.charset import decode_charset

Parameters: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Pairs of a lower-case name and a value, in the order of the field. A value in the extended
notation of RFC 2231 keeps it, joined to one piece, under a name that ends in `*`."""

MAX_PARAMETERS = 64
MAX_VALUE_BYTES = 16 * 1024
"""How much of one field is read for parameters."""

_CACHED_VALUE_BYTES = 80


class ContentType(msgspec.Struct, frozen=True):
    """A media type, in lower case, and its parameters."""

    type: bytes
    subtype: bytes
    parameters: Parameters = ()


class Disposition(msgspec.Struct, frozen=True):
    """A Content-Disposition: `inline`, `attachment` or another token, in lower case."""

    kind: bytes
    parameters: Parameters = ()


TEXT_PLAIN = ContentType(b"text", b"plain")
MESSAGE_RFC822 = ContentType(b"message", b"rfc822")
OCTET_STREAM = ContentType(b"application", b"octet-stream")

# RFC 2045 §5.1: token; 8-bit octets are let through, as they occur.
_TOKEN = rb"[^\x00-\x20()<>@,;:\\\"/\[\]?=\x7f]+"
_MEDIA_TYPE = re.compile(rb"[ \t]*(%b)[ \t]*/[ \t]*(%b)[ \t]*(?=;|\Z)" % (_TOKEN, _TOKEN))
# What is left of a type whose semicolon is missing.
_LOOSE_MEDIA_TYPE = re.compile(rb"[ \t]*(%b)[ \t]*/[ \t]*(%b)" % (_TOKEN, _TOKEN))
_LOOSE_KIND = re.compile(rb"[ \t]*(%b)" % _TOKEN)
_KIND = re.compile(rb"[ \t]*(%b)[ \t]*(?=;|\Z)" % _TOKEN)
# ";" attribute "=" value, without comments or quoted pairs: nearly every parameter there is.
_PLAIN_PARAMETER = re.compile(
    rb";[ \t]*(%b)[ \t]*=[ \t]*(?:\"([^\"\\]*)\"|(%b))[ \t]*(?=;|\Z)" % (_TOKEN, _TOKEN)
)
# Quoted strings may lack their end; nothing here can backtrack.
_QUOTED = rb"\"(?:[^\"\\]|\\.?)*+\"?"
_SEGMENT = re.compile(rb"((?:[^;\"]|%b)++)(?:;|\Z)|;" % _QUOTED, re.DOTALL)
_OUTSIDE_COMMENT = re.compile(rb"%b|\\.?|[^\"\\(]+|\(" % _QUOTED, re.DOTALL)
_IN_COMMENT = re.compile(rb"\\.?|[()]|[^\\()]+", re.DOTALL)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
# RFC 2231 §7: attribute [section] ["*"]
_SECTION = re.compile(rb"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")


def parse_content_type(value: bytes) -> ContentType:
    """Return the media type in an unfolded field value; text/plain where there is none."""
    if len(value) <= _CACHED_VALUE_BYTES and b"oundary" not in value:
        return _parse_cached_content_type(value)
    return _parse_content_type(value)


def _parse_content_type(value: bytes) -> ContentType:
    found = _MEDIA_TYPE.match(value)
    if found is not None:
        kind, subtype = found.group(1, 2)
        return ContentType(kind.lower(), subtype.lower(), _parse_parameters(value, found.end()))
    segments = _segments(value)
    found = _LOOSE_MEDIA_TYPE.match(segments[0])
    parameters = _join_sections(_split_pairs(segments[1:]))
    if found is None:
        return ContentType(TEXT_PLAIN.type, TEXT_PLAIN.subtype, parameters)
    return ContentType(found[1].lower(), found[2].lower(), parameters)


_parse_cached_content_type = lru_cache(maxsize=256)(_parse_content_type)


def parse_disposition(value: bytes) -> Disposition | None:
    """Return the disposition in an unfolded field value, or None where it names none."""
    found = _KIND.match(value)
    if found is not None:
        return Disposition(found[1].lower(), _parse_parameters(value, found.end()))
    segments = _segments(value)
    found = _LOOSE_KIND.match(segments[0])
    if found is None:
        return None
    return Disposition(found[1].lower(), _join_sections(_split_pairs(segments[1:])))


def parameter(parameters: Parameters, name: bytes) -> bytes | None:
    """Return the raw value of the parameter of this lower-case name, or None."""
    for key, value in parameters:
        if key == name:
            return value
    return None


def decode_parameter(parameters: Parameters, name: bytes) -> str | None:
    """Return a parameter as text: the extended form first (RFC 2231 §4), else the plain one."""
    extended = parameter(parameters, name + b"*")
    if extended is not None:
        charset, _, rest = extended.partition(b"'")
        _, quote, text = rest.partition(b"'")
        if not quote:
            charset, text = b"", extended
        return decode_charset(unquote_to_bytes(text), charset)
    plain = parameter(parameters, name)
    return None if plain is None else decode_charset(plain, b"")


def _parse_parameters(value: bytes, position: int) -> Parameters:
    """Return the parameters from `position`, which holds `;` or is the end."""
    pairs: list[tuple[bytes, bytes]] = []
    extended = False
    start = position
    end = len(value)
    while position < end:
        found = _PLAIN_PARAMETER.match(value, position)
        if found is None or len(pairs) >= MAX_PARAMETERS:
            if not value[position:].strip(b"; \t"):
                break
            return _join_sections(_split_pairs(_segments(value[start:])[1:]))
        name, quoted, token = found.groups()
        extended = extended or b"*" in name
        pairs.append((name.lower(), token if quoted is None else quoted))
        position = found.end()
    return _join_sections(pairs) if extended else tuple(pairs)


def _segments(value: bytes) -> list[bytes]:
    """Return what semicolons outside quotes separate, without comments."""
    value = value[:MAX_VALUE_BYTES]
    return _SEGMENT.findall(without_comments(value)) or [b""]


def without_comments(value: bytes) -> bytes:
    """Return a value without its comments (RFC 822 §3.4.3); as it is where one has no end."""
    if b"(" not in value:
        return value
    kept: list[bytes] = []
    position = depth = 0
    while (found := (_IN_COMMENT if depth else _OUTSIDE_COMMENT).match(value, position)) is not None:
        token = found[0]
        position = found.end()
        if token == b"(":
            depth += 1
        elif not depth:
            kept.append(token)
        elif token == b")":
            depth -= 1
    return value if depth else b"".join(kept)


def _split_pairs(segments: list[bytes]) -> list[tuple[bytes, bytes]]:
    pairs = []
    for segment in segments[:MAX_PARAMETERS]:
        name, equals, value = segment.partition(b"=")
        name = name.strip(b" \t\r\n\0").lower()
        if name and equals:
            pairs.append((name, _unquote(value.strip(b" \t\r\n"))))
    return pairs


def _unquote(value: bytes) -> bytes:
    if not value.startswith(b'"'):
        return value
    body = value[1:]
    end = body.rfind(b'"')
    return _QUOTED_PAIR.sub(rb"\1", body[:end] if end >= 0 else body)


def _join_sections(pairs: list[tuple[bytes, bytes]]) -> Parameters:
    """Return the parameters with the continuations of RFC 2231 §3 put together."""
    plain: list[tuple[bytes, bytes]] = []
    sections: dict[bytes, dict[int, tuple[bool, bytes]]] = {}
    for name, value in pairs:
        found = _SECTION.fullmatch(name)
        if found is None or found[2] is None:
            plain.append((name, value))
            continue
        sections.setdefault(found[1], {}).setdefault(int(found[2]), (found[3] is not None, value))
    for name, pieces in sections.items():
        plain.append(_join(name, pieces))
    return tuple(plain)


def _join(name: bytes, pieces: dict[int, tuple[bool, bytes]]) -> tuple[bytes, bytes]:
    """Join sections in their order; a plain one among extended ones is percent-encoded."""
    ordered = [pieces[index] for index in sorted(pieces)]
    if not any(extended for extended, _ in ordered):
        return name, b"".join(value for _, value in ordered)
    first_extended, _ = ordered[0]
    joined = b"".join(value if extended else quote_from_bytes(value).encode() for extended, value in ordered)
    return name + b"*", joined if first_extended else b"''" + joined
