"""ENVELOPE, BODY and BODYSTRUCTURE as IMAP clients read them."""

import pytest

from freehold.protocols.mime.imap_structure import body, bodystructure, envelope, nstring
from freehold.protocols.mime.structure import scan


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"NIL"),
        (b"", b'""'),
        (b"NIL", b'"NIL"'),
        (b"plain text", b'"plain text"'),
        (b'say "hi" \\o/', b'"say \\"hi\\" \\\\o/"'),
        (b"tab\there", b'"tab\there"'),
        (b"caf\xc3\xa9", b"{5}\r\ncaf\xc3\xa9"),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"bell\x07", b"{5}\r\nbell\x07"),
        (b"nul\x00\xff", b"{4}\r\nnul\xff"),
        (b"x" * 2000, b"{2000}\r\n" + b"x" * 2000),
    ],
)
def test_strings_are_quoted_where_quoting_can_hold_them(value: bytes | None, written: bytes) -> None:
    assert nstring(value) == written


def test_envelope_gives_all_ten_fields_in_order() -> None:
    message = (
        b"Message-ID: <m@x>\r\nIn-Reply-To: <r@x>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
        b"Subject: folded\r\n subject\r\nFrom: F Name <f@f.example>\r\nTo: T Name <t@t.example>\r\n"
        b'Cc: "C, Name" <c@c.example>\r\nBcc: b@b.example\r\nSender: S <s@s.example>\r\n'
        b"Reply-To: R <r@r.example>\r\n\r\nSubject: not this\r\n"
    )
    assert envelope(message) == (
        b'("Mon, 1 Jan 2024 00:00:00 +0000" "folded subject" (("F Name" NIL "f" "f.example")) '
        b'(("S" NIL "s" "s.example")) (("R" NIL "r" "r.example")) (("T Name" NIL "t" "t.example")) '
        b'(("C, Name" NIL "c" "c.example")) ((NIL NIL "b" "b.example")) "<r@x>" "<m@x>")'
    )


@pytest.mark.parametrize("extra", [b"", b"Sender: \r\nReply-To:\r\n"])
def test_sender_and_reply_to_default_to_from(extra: bytes) -> None:
    own = b'((NIL NIL "u" "d"))'
    message = b"From: u@d\r\n" + extra + b"\r\n"
    assert envelope(message) == b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (own, own, own)


def test_groups_are_marked_by_nil_hosts() -> None:
    message = b"To: team: a@x, b@y;, none:;\r\nCc: empty: (nobody) ;\r\n\r\n"
    assert envelope(message) == (
        b'(NIL NIL NIL NIL NIL ((NIL NIL "team" NIL)(NIL NIL "a" "x")(NIL NIL "b" "y")(NIL NIL NIL NIL)'
        b'(NIL NIL "none" NIL)(NIL NIL NIL NIL)) ((NIL NIL "empty" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"u@d (Real Name)", b'(("Real Name" NIL "u" "d"))'),
        (b"<@route:u@d>", b'((NIL "@route" "u" "d"))'),
        (b"nobody", b'((NIL NIL "nobody" "MISSING_DOMAIN"))'),
        (b"<@d>", b'((NIL NIL "MISSING_MAILBOX" "d"))'),
        (b"caf\xc3\xa9 <u@d>", b'(({5}\r\ncaf\xc3\xa9 NIL "u" "d"))'),
        (b"=?utf-8?q?a?= <u@d>", b'(("=?utf-8?q?a?=" NIL "u" "d"))'),
        (b'"quo\\"ted" <"odd local"@d>', b'(("quo\\"ted" NIL "odd local" "d"))'),
    ],
)
def test_one_address_is_written_with_its_four_parts(value: bytes, written: bytes) -> None:
    empty = b"NIL NIL NIL NIL"
    assert envelope(b"To: " + value + b"\r\n\r\n") == b"(%b NIL %b NIL NIL NIL NIL)" % (empty, written)


def test_several_fields_of_addresses_are_one_list() -> None:
    written = envelope(b"To: a@b\r\nTo: c@d\r\n\r\n")
    assert b'((NIL NIL "a" "b")(NIL NIL "c" "d"))' in written


def test_message_without_header_has_an_empty_envelope() -> None:
    assert envelope(b"\r\nFrom: a@b\r\n") == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def test_plain_text_has_the_charset_it_is_in_by_default() -> None:
    message = b"Subject: x\r\n\r\nhello\r\n"
    part = scan(message)
    assert body(message, part) == b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1)'
    assert bodystructure(message, part) == (
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)'
    )


def test_folded_boundary_and_unknown_text_type_are_as_expected() -> None:
    message = (
        b'Mime-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="foo\r\n bar"\r\n\r\n'
        b"--foo bar\r\nContent-Type: text/x-own; charset=us-ascii\r\n\r\nhello\r\n\r\n--foo bar--\r\n"
    )
    assert body(message, scan(message)) == (
        b'(("text" "x-own" ("charset" "us-ascii") NIL NIL "7bit" 7 1) "mixed")'
    )


def test_extension_data_names_disposition_language_and_location() -> None:
    message = (
        b"Content-Type: application/pdf; name=a.pdf\r\nContent-ID: <i@d>\r\nContent-Description: d\r\n"
        b"Content-Transfer-Encoding: base64\r\nContent-MD5: m\r\nContent-Language: de, en\r\n"
        b'Content-Disposition: attachment; filename="a b.pdf"\r\nContent-Location: l\r\n\r\nQUJD'
    )
    assert bodystructure(message, scan(message)) == (
        b'("application" "pdf" ("name" "a.pdf") "<i@d>" "d" "base64" 4 "m" '
        b'("attachment" ("filename" "a b.pdf")) ("de" "en") "l")'
    )


def test_embedded_message_has_envelope_structure_and_lines() -> None:
    message = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: in\r\nContent-Type: text/html; charset=x\r\n\r\n<p>\r\n\r\n--b--\r\n"
    )
    assert bodystructure(message, scan(message)) == (
        b'(("message" "rfc822" NIL NIL NIL "7bit" 56 '
        b'(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) '
        b'("text" "html" ("charset" "x") NIL NIL "7bit" 5 1 NIL NIL NIL NIL) 4 NIL NIL NIL NIL) '
        b'"mixed" ("boundary" "b") NIL NIL NIL)'
    )


def test_long_parameters_of_rfc_2231_are_joined_and_stay_encoded() -> None:
    message = b"Content-Type: a/b; n*0*=utf-8''%C3; n*1*=%BC; p*0=x; p*1=y\r\n\r\n"
    assert b'("n*" "utf-8\'\'%C3%BC" "p" "xy")' in body(message, scan(message))


def test_envelopes_of_embedded_messages_are_bounded() -> None:
    inner = b"--b\r\nContent-Type: message/rfc822\r\n\r\nTo: " + b",a" * 50_000 + b"\r\n\r\nx\r\n"
    message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + inner * 100 + b"--b--\r\n"
    written = bodystructure(message, scan(message))
    assert written.count(b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)") >= 90
