"""Content-Type and Content-Disposition values, well-formed and not."""

import pytest

from freehold.protocols.mime.parameters import (
    MAX_PARAMETERS,
    Parameters,
    decode_parameter,
    parameter,
    parse_content_type,
    parse_disposition,
)


@pytest.mark.parametrize(
    ("value", "kind", "subtype", "parameters"),
    [
        (b"text/plain", b"text", b"plain", ()),
        (b"Text/HTML;CharSet=UTF-8;", b"text", b"html", ((b"charset", b"UTF-8"),)),
        (b'a/b; x="y;z" ; w=v', b"a", b"b", ((b"x", b"y;z"), (b"w", b"v"))),
        (b'a/b; x="q\\"uo\\\\te"', b"a", b"b", ((b"x", b'q"uo\\te'),)),
        (b"(c) a (d(e)) / b (f) ; (g) x (h) = (i) y (j)", b"a", b"b", ((b"x", b"y"),)),
        (b'a/b; x="(no comment)"', b"a", b"b", ((b"x", b"(no comment)"),)),
        (b"a/b; name=two words.pdf", b"a", b"b", ((b"name", b"two words.pdf"),)),
        (b"a/b; x=(open; y=z", b"a", b"b", ((b"x", b"(open"), (b"y", b"z"))),
        (b'a/b; x="open; y=z', b"a", b"b", ((b"x", b"open; y=z"),)),
        (b"a/b;;; ; x; =y; z=", b"a", b"b", ((b"z", b""),)),
        (b"", b"text", b"plain", ()),
        (b"text", b"text", b"plain", ()),
        (b"application/pdf name=x.pdf", b"application", b"pdf", ()),
        (b"text; charset=x", b"text", b"plain", ((b"charset", b"x"),)),
        (b"/;x=y", b"text", b"plain", ((b"x", b"y"),)),
        (b"a/b; n*0=x; n*1=y; n*2=z", b"a", b"b", ((b"n", b"xyz"),)),
        (b"a/b; n*1=y; n*0=x", b"a", b"b", ((b"n", b"xy"),)),
        (b"a/b; n*0*=utf-8''%C3; n*1*=%BC; n*2=\" %\"", b"a", b"b", ((b"n*", b"utf-8''%C3%BC%20%25"),)),
        (b"a/b; n*0=x; n*1*=%20y", b"a", b"b", ((b"n*", b"''x%20y"),)),
    ],
)
def test_content_type_is_read(value: bytes, kind: bytes, subtype: bytes, parameters: Parameters) -> None:
    content = parse_content_type(value)
    assert (content.type, content.subtype, content.parameters) == (kind, subtype, parameters)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"a/b; n*=utf-8'en'a%20%C3%BC", "a ü"),
        (b"a/b; n*=iso-8859-1''%FC; n=plain", "ü"),
        (b"a/b; n*=no quotes %41", "no quotes A"),
        (b"a/b; n=\xc3\xbc", "ü"),
        (b"a/b; n*=nonsense''%FF", "ÿ"),
        (b"a/b", None),
    ],
)
def test_parameter_is_decoded_to_text(value: bytes, text: str | None) -> None:
    assert decode_parameter(parse_content_type(value).parameters, b"n") == text


def test_first_of_two_equal_parameters_counts() -> None:
    assert parameter(parse_content_type(b"a/b; x=1; X=2").parameters, b"x") == b"1"


def test_number_of_parameters_is_bounded() -> None:
    assert len(parse_content_type(b"a/b" + b"; x=y" * 1000).parameters) <= MAX_PARAMETERS


def test_disposition_is_read() -> None:
    found = parse_disposition(b'ATTACHMENT; filename="a.b" (c)')
    assert found is not None
    assert (found.kind, found.parameters) == (b"attachment", ((b"filename", b"a.b"),))
    loose = parse_disposition(b"Inline filename=x")
    assert loose is not None
    assert loose.kind == b"inline"
    assert parse_disposition(b"") is None
    assert parse_disposition(b"; filename=x") is None
