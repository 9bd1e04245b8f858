"""How much of a connection's memory one line may use, in octets with its CRLF."""

MAX_COMMAND_OCTETS = 255
"""A command (RFC 2449 §4)."""

MAX_CREDENTIAL_OCTETS = 12_288
"""USER, PASS, AUTH, and the lines of an exchange: passwords and proofs are longer than 255 (RFC 5034 §4)."""

MAX_NUMBER_DIGITS = 10
"""Digits of a message number or a count of lines."""
