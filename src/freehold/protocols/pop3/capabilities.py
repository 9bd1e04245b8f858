"""What CAPA tells (RFC 2449 §6, RFC 2595 §4, RFC 3206 §6, RFC 5034 §3)."""

from collections.abc import Sequence

_ALWAYS = ("TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER")


def capabilities(*, user: bool, starttls: bool, mechanisms: Sequence[str]) -> list[str]:
    """Return the capabilities; `user` says that USER and PASS are taken, `starttls` that STLS is."""
    named = [*_ALWAYS]
    if user:
        named.append("USER")
    if starttls:
        named.append("STLS")
    if mechanisms:
        named.append(" ".join(("SASL", *mechanisms)))
    return [*named, "IMPLEMENTATION Freehold"]
