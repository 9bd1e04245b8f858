"""The first words of a message, for lists of messages (RFC 8970 §3)."""

import re
from collections.abc import Iterator

from freehold.protocols.mime.buffer import Buffer
from freehold.protocols.mime.decode import decode_text
from freehold.protocols.mime.html_text import html_text
from freehold.protocols.mime.structure import Part

MAX_PREVIEW_CHARACTERS = 200
"""RFC 8970 §3.3: at most 256; the RFC advises 200."""
READ_BYTES = 16 * 1024
"""Of the decoded text that the preview is taken from."""

# What others wrote, and who they are.
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


def preview(buffer: Buffer, part: Part) -> str:
    """Return the beginning of the first text of a scanned message on one line, '' where there is none."""
    fallback = ""
    for each in _shown_texts(part):
        source = decode_text(buffer, each, READ_BYTES)
        if each.subtype == b"html":
            text = html_text(source)
        else:
            text = " ".join(_QUOTED_LINE.sub("", source).split())
            fallback = fallback or " ".join(source.split())
        if text:
            return _cut(text)
    return _cut(fallback)


def _shown_texts(part: Part) -> Iterator[Part]:
    """Yield the texts that are not attachments, in order."""
    if part.disposition is not None and part.disposition.kind == b"attachment":
        return
    for child in part.children:
        yield from _shown_texts(child)
    if not part.children and part.type == b"text" and part.subtype in (b"plain", b"html"):
        yield part


def _cut(text: str) -> str:
    """Return at most MAX_PREVIEW_CHARACTERS, without half a word where there are spaces."""
    if len(text) <= MAX_PREVIEW_CHARACTERS:
        return text
    head = text[: MAX_PREVIEW_CHARACTERS + 1]
    space = head.rfind(" ", MAX_PREVIEW_CHARACTERS // 2)
    return head[: space if space > 0 else MAX_PREVIEW_CHARACTERS]
