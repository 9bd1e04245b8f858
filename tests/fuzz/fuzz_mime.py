"""Fuzz everything that reads a message: `python -m tests.fuzz.fuzz_mime tests/fuzz/corpus/mime`.

Needs atheris, which is not among the dependencies; the tests replay the corpus without it.
"""

from freehold.protocols.mime import addresses, date, decode, encoded_word, header, parameters
from freehold.protocols.mime.imap_structure import body, bodystructure, envelope
from freehold.protocols.mime.section import find_part, header_fields
from freehold.protocols.mime.structure import Part, scan
from tests.fuzz.atheris_run import fuzz


def check_tree(part: Part, start: int, end: int) -> None:
    """Assert that a part lies in start…end, and its children in its body, one after the other."""
    assert start <= part.header_start <= part.header_end == part.body_start <= part.body_end <= end
    assert bool(part.children) == (part.is_multipart or part.is_message)
    position = part.body_start
    for child in part.children:
        check_tree(child, position, part.body_end)
        position = child.body_end


def check_message(data: bytes) -> None:
    """Assert that every reader of messages takes these octets."""
    part = scan(data)
    check_tree(part, 0, len(data))
    for written in (envelope(data), bodystructure(data, part), body(data, part)):
        assert written.startswith(b"(")
        assert written.endswith(b")")
        assert b"\0" not in written
    for field in header.fields(data, part.header_start, part.header_end):
        encoded_word.decode_words(field.value)
        assert data[field.start : field.end].startswith(field.name)
    header_fields(data, 0, part.header_end, [b"from", b"subject"])
    header_fields(data, 0, part.header_end, [b"from", b"subject"], exclude=True)
    assert find_part(part, [1]) is not None
    leaf = part
    while leaf.children:
        leaf = leaf.children[0]
    decode.decode_text(data, leaf)
    check_value(data)


def check_value(value: bytes) -> None:
    """Assert that every reader of field values takes these octets."""
    addresses.mailboxes(addresses.parse_addresses(value))
    date.parse_date(value)
    encoded_word.decode_words(value)
    header.message_ids(value)
    parameters.decode_parameter(parameters.parse_content_type(value).parameters, b"name")
    parameters.parse_disposition(value)


if __name__ == "__main__":
    fuzz(check_message)
