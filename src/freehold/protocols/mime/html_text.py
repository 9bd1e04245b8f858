"""The text of an HTML body, for searching and previews; it is never shown as a document.

No parser: a few passes in linear time whatever the input. What a browser would not show as text (tags,
comments, scripts, styles) goes; entities become characters; white space is one space.
"""

import html
import re

# Up to the end of the text where the closing mark is missing, as a browser would read it.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template)\b.*?(?:</\1\b[^>]*+(?:>|\Z)|\Z)", re.DOTALL | re.IGNORECASE
)
# Tags inside a word do not end it.
_INLINE = re.compile(
    r"</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike"
    r"|strong|sub|sup|tt|u|var|wbr)(?=[\s/>])[^>]*+(?:>|\Z)",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z!?][^>]*+(?:>|\Z)")


def html_text(source: str) -> str:
    """Return the text that a browser would show, on one line."""
    if "<" in source:
        source = _TAG.sub(" ", _INLINE.sub("", _HIDDEN.sub(" ", source)))
    if "&" in source:
        source = html.unescape(source)
    return " ".join(source.split())
