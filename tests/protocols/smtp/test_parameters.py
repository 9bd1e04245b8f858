"""ESMTP parameters of MAIL and RCPT."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.smtp.address import EmailAddress
from freehold.protocols.smtp.errors import CommandError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.parameters import (
    NOTIFY_NEVER,
    Body,
    MailParameters,
    Notify,
    OriginalRecipient,
    RcptParameters,
    Return,
    format_mail_parameters,
    format_rcpt_parameters,
    parse_mail_parameters,
    parse_rcpt_parameters,
)
from freehold.protocols.smtp.xtext import InvalidXtextError, decode_xtext, encode_xtext

ALL = frozenset(Extension)


def test_all_parameters_of_mail_are_decoded() -> None:
    text = "SIZE=1000 body=8bitmime SMTPUTF8 AUTH=e+3Dmc2@example.com RET=hdrs ENVID=QQ+2B1"
    assert parse_mail_parameters(text, ALL) == MailParameters(
        size=1000,
        body=Body.EIGHT_BIT,
        smtputf8=True,
        submitter=EmailAddress("e=mc2", "example.com"),
        ret=Return.HEADERS,
        envid="QQ+1",
    )


def test_all_parameters_of_rcpt_are_decoded() -> None:
    assert parse_rcpt_parameters(
        "NOTIFY=success,DELAY ORCPT=rfc822;Bob+2Bx@b.example", ALL
    ) == RcptParameters(Notify.SUCCESS | Notify.DELAY, OriginalRecipient("rfc822", "Bob+x@b.example"))
    assert parse_rcpt_parameters("NOTIFY=NEVER", ALL).notify == NOTIFY_NEVER
    international = parse_rcpt_parameters(r"ORCPT=utf-8;j\x{F6}rg@b.example", ALL)
    assert international.original_recipient == OriginalRecipient("utf-8", "jörg@b.example")


def test_auth_with_an_empty_mailbox_names_no_submitter() -> None:
    assert parse_mail_parameters("AUTH=<>", ALL).submitter is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FOO", 555),
        ("FOO=1", 555),
        ("BODY=BINARYMIME", 504),
        ("BODY=9BIT", 501),
        ("SIZE=1 SIZE=2", 501),
        ("SIZE", 501),
        ("SIZE=", 501),
        ("SIZE=-1", 501),
        ("SIZE=1=2", 501),
        ("SIZE=123456789012345678901", 501),
        ("SIZE=\u0661", 501),
        ("SMTPUTF8=1", 501),
        ("RET=ALL", 501),
        ("ENVID=+0A", 501),
        ("ENVID=+0", 501),
        ("ENVID=" + "x" * 101, 501),
        ("AUTH=nobody", 501),
        ("-X=1", 501),
    ],
)
def test_a_bad_parameter_of_mail_gets_its_code(text: str, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        parse_mail_parameters(text, ALL)
    assert caught.value.reply.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SIZE=1", 555),
        ("NOTIFY=", 501),
        ("NOTIFY=SUCCESS,NEVER", 501),
        ("NOTIFY=SUCCESS,", 501),
        ("ORCPT=rfc822", 501),
        ("ORCPT=rfc822;", 501),
        ("ORCPT=rfc822;a+0D+0Ab", 501),
        (r"ORCPT=utf-8;\x{D800}", 501),
        (r"ORCPT=utf-8;\x{FFFFFF}", 501),
        ("ORCPT=rfc822;" + "x" * 500, 501),
    ],
)
def test_a_bad_parameter_of_rcpt_gets_its_code(text: str, code: int) -> None:
    with pytest.raises(CommandError) as caught:
        parse_rcpt_parameters(text, ALL)
    assert caught.value.reply.code == code


def test_a_parameter_that_was_not_offered_is_unknown() -> None:
    for text in ("SIZE=1", "BODY=7BIT", "SMTPUTF8", "AUTH=<>", "RET=FULL"):
        with pytest.raises(CommandError) as caught:
            parse_mail_parameters(text, frozenset())
        assert caught.value.reply.code == 555


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)


@given(PRINTABLE)
def test_xtext_survives_a_round_trip(text: str) -> None:
    assert decode_xtext(encode_xtext(text)) == text


@given(
    st.builds(
        MailParameters,
        size=st.none() | st.integers(0, 10**12),
        body=st.sampled_from(Body),
        smtputf8=st.booleans(),
        ret=st.none() | st.sampled_from(Return),
        envid=st.none() | PRINTABLE,
    )
)
def test_parameters_of_mail_survive_a_round_trip(parameters: MailParameters) -> None:
    assert parse_mail_parameters(format_mail_parameters(parameters).strip(), ALL) == parameters


UNICODE = st.text(st.characters(min_codepoint=32, max_codepoint=0x1FF), min_size=1, max_size=30).filter(
    str.isprintable
)


@given(st.builds(Notify, st.integers(0, 7)), st.builds(OriginalRecipient, st.just("utf-8"), UNICODE))
def test_parameters_of_rcpt_survive_a_round_trip(notify: Notify, original: OriginalRecipient) -> None:
    parameters = RcptParameters(notify, original)
    assert parse_rcpt_parameters(format_rcpt_parameters(parameters).strip(), ALL) == parameters


@given(st.text(max_size=40))
def test_any_text_raises_nothing_but_a_command_error(text: str) -> None:
    for prefix in ("", "SIZE=", "AUTH=", "ENVID=", "ORCPT=utf-8;", "ORCPT=rfc822;", "NOTIFY="):
        for parse in (parse_mail_parameters, parse_rcpt_parameters):
            with suppress(CommandError):
                parse(prefix + text, ALL)


def test_control_characters_cannot_be_encoded() -> None:
    with pytest.raises(InvalidXtextError):
        encode_xtext("a\r\nb")
