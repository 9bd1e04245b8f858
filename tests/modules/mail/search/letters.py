"""Random messages in many charsets, encodings and shapes, and texts that may be in them."""

import base64
import quopri
from dataclasses import dataclass

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

ALPHABETS = {
    "us-ascii": "abcABC xyz.-_@019\n",
    "iso-8859-1": "aéÉöß ñ.x1",
    "utf-8": "aé\u0301ßΣς日本語東京がかガ한각 .@-x1\u00ad😀ﬁ",
    "iso-2022-jp": "日本語東京のがか abc.",
    "gb18030": "中文邮件 a1。",
    "koi8-r": "Привет мир ёй",
}
LONG_WORDS = ("a1b2" * 40, "日本語" * 30, "x" * 49, "0123456789abcdef" * 6)


@dataclass(frozen=True)
class Letter:
    """A message, and texts that were put into it."""

    data: bytes
    texts: tuple[str, ...]


@st.composite
def words_in(draw: st.DrawFn, charset: str) -> str:
    """A text that a charset can say."""
    text = draw(st.text(alphabet=ALPHABETS[charset], min_size=1, max_size=40))
    if draw(st.integers(0, 5)) == 0:
        long = draw(st.sampled_from(LONG_WORDS))
        text += long.encode(charset, "ignore").decode(charset)
    return text


def _encoded(data: bytes, encoding: str) -> bytes:
    match encoding:
        case "base64":
            return base64.encodebytes(data).replace(b"\n", b"\r\n")
        case "quoted-printable":
            return quopri.encodestring(data).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        case _:
            return data.replace(b"\n", b"\r\n")


@st.composite
def parts(draw: st.DrawFn) -> tuple[bytes, str]:
    """A part of type text, with its header, and its text."""
    charset = draw(st.sampled_from(sorted(ALPHABETS)))
    encoding = draw(st.sampled_from(["8bit", "base64", "quoted-printable"]))
    text = draw(words_in(charset))
    kind, source = draw(
        st.sampled_from(
            [
                ("plain", text),
                ("html", f"<html><style>p{{}}</style><p title=x>{text}</p>"),
                ("html", "<b>" + text[:2] + "</b>" + text[2:] + "<!-- hidden"),
                ("html", "&nbsp;".join(text) + "&eacute;<br>"),
            ]
        )
    )
    header = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return header.encode() + _encoded(source.encode(charset, "replace"), encoding), text


def _word(text: str) -> bytes:
    return b"=?utf-8?b?%b?=" % base64.b64encode(text.encode())


@st.composite
def letters(draw: st.DrawFn) -> Letter:
    """A message of one or more parts, with encoded words and odd addresses in its header."""
    subject, name = draw(words_in("utf-8")), draw(words_in("us-ascii")).replace("\n", " ")
    address = draw(st.sampled_from(["ann@x.test", 'f(c)oo @ "y z".test', "<b.c@x.test> (Bo)", "A: x@y;"]))
    header = [
        b"Subject: " + b"\r\n ".join(_word(subject[at : at + 9]) for at in range(0, len(subject), 9)),
        b"From: " + name.encode() + b" " + address.encode(),
        b"To: " + draw(st.sampled_from([b"Bob <bob@y.test>", b"r\xf6d@y.test", b""])),
        b"X-Tag: " + draw(words_in("us-ascii")).replace("\n", "\r\n ").encode(),
    ]
    inside = draw(st.lists(parts(), min_size=1, max_size=3))
    texts = (subject, name, address, *(text for _, text in inside))
    if len(inside) == 1:
        return Letter(b"\r\n".join(header) + b"\r\n" + inside[0][0], texts)
    body = b"".join(b"--=\r\n" + part + b"\r\n" for part, _ in inside) + b"--=--\r\n"
    kind = b'Content-Type: multipart/mixed; boundary="="\r\n\r\n'
    return Letter(b"\r\n".join(header) + b"\r\n" + kind + body, texts)


@st.composite
def needles(draw: st.DrawFn, letter: Letter) -> str:
    """A text to look for: often a piece of what is in a message, otherwise something like it."""
    text = draw(st.sampled_from(letter.texts))
    start = draw(st.integers(0, max(0, len(text) - 1)))
    piece = text[start : start + draw(st.sampled_from([1, 2, 3, 5, 9, 30]))]
    other = draw(words_in(draw(st.sampled_from(sorted(ALPHABETS)))))[:4]
    return draw(st.sampled_from([piece, piece.upper(), other, "charset", "subject: "])).replace("\0", "")


def some_letters(count: int) -> list[tuple[Letter, str]]:
    """Return the same messages each time, each with a text to look for."""
    collected: list[tuple[Letter, str]] = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.data())
    def collect(data: st.DataObject) -> None:
        letter = data.draw(letters())
        collected.append((letter, data.draw(needles(letter))))

    collect()
    return collected
