"""Reads IMAP's responses strictly (RFC 9051 §9): what the grammar does not allow is an error, not a guess."""

import re

Value = bytes | None | tuple["Value", ...]

MAX_DEPTH = 200

# Text of a status response or continuation request; the code's brackets hold no "]".
_STATUS = re.compile(rb"(?:OK|NO|BAD|BYE|PREAUTH)(?: \[[A-Z][^\]\x00-\x1f\x7f-\xff]*\])? [\x20-\x7e]+")
_TAG = re.compile(rb'[^\x00-\x20(){%*"\\+\x7f-\xff]+')
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_LITERAL = re.compile(rb"(~?)\{(0|[1-9][0-9]*)\}\r\n")
# An atom, a flag, a set, a number; or an item with its section: BODY[1.HEADER.FIELDS (To)]<0>.
_SECTION_START = re.compile(rb"(?:BODY|BINARY(?:\.SIZE)?)(?=\[)")
_ATOM = re.compile(rb'\\?[^\x00-\x20(){"\\\]\x7f-\xff]+|\\\*')


class MalformedResponseError(Exception):
    """The octets are no response."""


def read_responses(data: bytes, *, utf8: bool = False) -> list[tuple[Value, ...]]:
    """Return the values of each response; strings and atoms are octets, NIL is None, lists are tuples.

    A status response is its tag and its text. With `utf8` quoted strings may hold UTF-8.
    """
    reader = _Reader(data, utf8=utf8)
    found = []
    while reader.position < len(data):
        found.append(reader.response())
    return found


class _Reader:
    def __init__(self, data: bytes, *, utf8: bool) -> None:
        self.data = data
        self.position = 0
        self._utf8 = utf8

    def response(self) -> tuple[Value, ...]:
        end = self.data.find(b"\r\n", self.position)
        line = self.data[self.position : max(end, 0)]
        tag, _, rest = line.partition(b" ")
        is_text = _STATUS.fullmatch(rest) is not None or (tag == b"+" and _is_printable(rest))
        if is_text and (tag in {b"*", b"+"} or _TAG.fullmatch(tag)):
            self.position = end + 2
            return tag, rest
        self._expect(b"* ")
        values = self._values(b"\r\n", 0)
        self._expect(b"\r\n")
        if not values:
            raise self._error("an empty response")
        return values

    def _values(self, end: bytes, depth: int) -> tuple[Value, ...]:
        """Take values up to `end`, parted by one space, or by none between lists."""
        if depth > MAX_DEPTH:
            raise self._error("too deep")
        values: list[Value] = []
        while not self._at(end):
            if values:
                is_joined = isinstance(values[-1], tuple) and self._at(b"(")
                if not is_joined:
                    self._expect(b" ")
            values.append(self._value(depth))
        return tuple(values)

    def _value(self, depth: int) -> Value:
        if self._at(b"("):
            self.position += 1
            values = self._values(b")", depth + 1)
            self._expect(b")")
            return values
        if self._at(b'"'):
            return self._quoted()
        if match := _LITERAL.match(self.data, self.position):
            return self._literal(match)
        atom = self._atom()
        return None if atom == b"NIL" else atom

    def _quoted(self) -> bytes:
        match = _QUOTED.match(self.data, self.position)
        if match is None:
            raise self._error("a malformed quoted string")
        if not match[1].isascii():
            if not self._utf8:
                raise self._error("octets over 127 in a quoted string")
            match[1].decode()
        self.position = match.end()
        return re.sub(rb"\\(.)", rb"\1", match[1])

    def _literal(self, match: re.Match[bytes]) -> bytes:
        start, end = match.end(), match.end() + int(match[2])
        content = self.data[start:end]
        if end > len(self.data) or (b"\0" in content and not match[1]):
            raise self._error("a literal that is cut short, or NUL in it")
        self.position = end
        return content

    def _atom(self) -> bytes:
        section = _SECTION_START.match(self.data, self.position)
        match = section or _ATOM.match(self.data, self.position)
        if match is None:
            raise self._error("no value")
        self.position = match.end()
        return match[0] if section is None else match[0] + self._section()

    def _section(self) -> bytes:
        start = self.position
        self.position += 1
        self._values(b"]", 0)
        self._expect(b"]")
        partial = re.compile(rb"<\d+>").match(self.data, self.position)
        self.position = partial.end() if partial else self.position
        return self.data[start : self.position]

    def _at(self, octets: bytes) -> bool:
        return self.data.startswith(octets, self.position)

    def _expect(self, octets: bytes) -> None:
        if not self._at(octets):
            raise self._error(f"{octets!r} is missing")
        self.position += len(octets)

    def _error(self, what: str) -> MalformedResponseError:
        around = self.data[max(0, self.position - 60) : self.position + 60]
        return MalformedResponseError(f"{what} at {self.position}: {around!r}")


def _is_printable(text: bytes) -> bool:
    return all(0x20 <= octet < 0x7F for octet in text)
