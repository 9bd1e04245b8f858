"""IMAPClient, an independent program, reads what is written here and writes what is read here."""

from hypothesis import given
from hypothesis import strategies as st
from imapclient import imap_utf7  # type: ignore[import-untyped]  # it ships no types
from imapclient.response_parser import parse_fetch_response, parse_response  # type: ignore[import-untyped]  # as above

from freehold.protocols.imap import data_response
from freehold.protocols.imap.mailbox_name import decode_mailbox_name, encode_mailbox_name
from freehold.protocols.imap.wire_string import quote_string

names = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=40)


@given(names)
def test_it_agrees_on_modified_utf7(name: str) -> None:
    assert encode_mailbox_name(name) == imap_utf7.encode(name)
    assert decode_mailbox_name(imap_utf7.encode(name)).upper() == name.upper()


@given(names)
def test_it_reads_the_names_in_a_list_response(name: str) -> None:
    line = data_response.list_line(["\\HasNoChildren"], name).removeprefix(b"* LIST ").removesuffix(b"\r\n")
    assert imap_utf7.decode(parse_response([line])[2]) == name


def test_it_reads_a_fetch_response() -> None:
    items = [
        b"UID 7",
        b"FLAGS (\\Seen $Forwarded)",
        b"MODSEQ (12)",
        b"BODY[HEADER.FIELDS (Subject)] " + quote_string(b'a "quoted" \\ word'),
    ]
    line = (
        data_response.fetch_line(3, items)
        .removeprefix(b"* ")
        .removesuffix(b"\r\n")
        .replace(b"FETCH ", b"", 1)
    )
    parsed = parse_fetch_response([line], normalise_times=False, uid_is_key=False)[3]
    assert parsed[b"UID"] == 7
    assert parsed[b"FLAGS"] == (b"\\Seen", b"$Forwarded")
    assert parsed[b"MODSEQ"] == (12,)
    assert parsed[b"BODY[HEADER.FIELDS (SUBJECT)]"] == b'a "quoted" \\ word'
