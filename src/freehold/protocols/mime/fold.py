"""Text as it is compared when somebody looks for words: without case, accents and invisible characters.

The same folding is applied to what is looked for and to what is looked through, so a substring of one stays
a substring of the other.
"""

import re
import unicodedata

# Marks that make an accented letter of a letter: Latin, Greek and Cyrillic accents, Hebrew points, Arabic
# harakat. Vowel signs of Indic scripts and the voicing of kana are letters of their own and stay. Soft
# hyphens, joiners and the like are not seen by a reader.
_UNSEEN = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670"
    "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+"
)


def fold(text: str) -> str:
    """Return text for comparison: compatibility forms, accents and case are levelled."""
    if text.isascii():
        return text.lower()
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKD", text))
    if plain.isascii():
        return plain.lower()
    return unicodedata.normalize("NFC", plain.casefold())
