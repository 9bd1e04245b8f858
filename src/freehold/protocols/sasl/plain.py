"""PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the password itself, so only over TLS."""

from freehold.errors import InvalidValueError
from freehold.protocols.sasl.mechanism import (
    MAX_RESPONSE_OCTETS,
    Challenge,
    Finished,
    PlainCredentials,
    SaslError,
    Step,
)
from freehold.protocols.sasl.prepare import saslprep

MAX_FIELD_OCTETS = 1024
"""Longest login, authorization identity or password."""

_PLAIN_FIELDS = 3


class PlainMechanism:
    """Takes `[authorization] NUL login NUL password` in one response."""

    __slots__ = ("_asked",)

    def __init__(self) -> None:
        self._asked = False

    def step(self, response: bytes) -> Step:
        """Ask once if nothing came with the command, then return the credentials.

        Raises:
            SaslError: the response is malformed.
        """
        if not response and not self._asked:
            self._asked = True
            return Challenge(b"")
        fields = response.split(b"\0", _PLAIN_FIELDS) if len(response) <= MAX_RESPONSE_OCTETS else []
        if len(fields) != _PLAIN_FIELDS:
            raise SaslError
        authorization, login, password = (_prepare(field) for field in fields)
        return _finish(authorization, login, password)


class LoginMechanism:
    """Asks for the login, then for the password."""

    __slots__ = ("_asked", "_login")

    def __init__(self) -> None:
        self._asked = False
        self._login = ""

    def step(self, response: bytes) -> Step:
        """Take login and password in turn; an initial response is the login.

        Raises:
            SaslError: a response is malformed or empty.
        """
        if not response and not self._asked:
            self._asked = True
            return Challenge(b"Username:")
        self._asked = True
        if self._login:
            return _finish("", self._login, _prepare(response))
        self._login = _prepare(response)
        if not self._login:
            raise SaslError
        return Challenge(b"Password:")


def encode_plain(credentials: PlainCredentials) -> bytes:
    """Return the response of a PLAIN client.

    Raises:
        SaslError: a field is empty or holds NUL.
    """
    fields = (credentials.authorization, credentials.login, credentials.password)
    if not (credentials.login and credentials.password) or any("\0" in field for field in fields):
        raise SaslError
    return "\0".join(fields).encode()


def _finish(authorization: str, login: str, password: str) -> Finished:
    if not (login and password):
        raise SaslError
    return Finished(PlainCredentials(authorization, login, password))


def _prepare(field: bytes) -> str:
    if len(field) > MAX_FIELD_OCTETS:
        raise SaslError
    try:
        return saslprep(field.decode(), allow_unassigned=True)
    except (UnicodeDecodeError, InvalidValueError):
        raise SaslError from None
