"""The subject without what replies and forwards put around it (RFC 5256 §2.1)."""

import re

import msgspec

MAX_SUBJECT_CHARACTERS = 1000
"""How much of a subject is read; what follows is no matter of threads."""

_SPACES = re.compile(r"[ \t\r\n]+")
# subj-trailer = "(fwd)" / WSP
_TRAILER = re.compile(r"\(fwd\)\Z", re.IGNORECASE)
# subj-blob = "[" *BLOBCHAR "]" *WSP, where a BLOBCHAR is anything but brackets
_BLOB = re.compile(r"\[[^\[\]]*+\] *")
# subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
_REPLY = re.compile(r"(?:re|fwd?) *(?:\[[^\[\]]*+\] *)?: *", re.IGNORECASE)
_FORWARD_HEADER = "[fwd:"


class BaseSubject(msgspec.Struct, frozen=True):
    """What a subject is about; `is_reply` says that words of a reply or forward were taken off."""

    text: str
    is_reply: bool


def base_subject(subject: str) -> BaseSubject:
    """Return the base subject of a decoded Subject field, in its own case; takes linear time."""
    text = _SPACES.sub(" ", subject[:MAX_SUBJECT_CHARACTERS]).strip(" ")
    is_reply = False
    while True:
        text, cut = _without_trailers(text)
        is_reply |= cut
        text, cut = _without_leaders(text)
        is_reply |= cut
        if not (text[: len(_FORWARD_HEADER)].lower() == _FORWARD_HEADER and text.endswith("]")):
            return BaseSubject(text, is_reply)
        text = text[len(_FORWARD_HEADER) : -1].strip(" ")
        is_reply = True


def _without_trailers(text: str) -> tuple[str, bool]:
    cut = False
    while _TRAILER.search(text, max(0, len(text) - 5)) is not None:
        text, cut = text[:-5].rstrip(" "), True
    return text, cut


def _without_leaders(text: str) -> tuple[str, bool]:
    """Take off `Re:`, `Fwd:` and blobs such as `[list]`, but no blob that is all there is."""
    start, cut = 0, False
    while True:
        last, end = start, start
        while (blob := _BLOB.match(text, end)) is not None:
            last, end = end, blob.end()
        reply = _REPLY.match(text, end)
        if reply is None:
            return text[last if end == len(text) else end :], cut
        start, cut = reply.end(), True
