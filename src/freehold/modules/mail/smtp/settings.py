"""Settings of receiving mail (section `[mail.smtp]`)."""

from typing import Literal

import msgspec

from freehold.kernel.addresses import parse_network

MEBIBYTE = 1024 * 1024


class SmtpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits and checks of SMTP, submission and LMTP sessions; sizes in bytes, times in seconds."""

    max_message_bytes: int = 50 * MEBIBYTE
    """Largest message accepted, announced with SIZE (RFC 1870)."""
    max_recipients: int = 1000
    """Recipients of one message; more are told 452 4.5.3 (RFC 5321 §4.5.3.1.10)."""
    max_messages_per_connection: int = 1000
    """Messages one connection may send; then 421."""
    max_received_headers: int = 50
    """Received lines that a message may carry; more is a loop (RFC 5321 §6.3)."""
    errors_before_delay: int = 3
    """Refused commands of one connection before each further one is answered late."""
    errors_before_close: int = 12
    """Refused commands of one connection before it is closed with 421."""
    error_delay_seconds: float = 1.0
    """How late: this much per refused command above `errors_before_delay`, at most 10 s."""
    max_commands_per_minute: int = 6000
    """Commands of one connection in a minute; more end it with 421."""
    command_seconds: float = 300.0
    """How long a client may take for its next command (RFC 5321 §4.5.3.2.7)."""
    data_seconds: float = 180.0
    """How long a client may pause within a message (RFC 5321 §4.5.3.2.5)."""
    max_connection_seconds: float = 7200.0
    """How long one connection may last in all."""
    relay_networks: tuple[str, ...] = ()
    """Networks that may send anywhere without logging in."""
    trusted_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks exempt from the look-up of the sender's domain."""
    check_sender_domain: Literal["refuse", "warn", "off"] = "refuse"
    """What to do about a sender domain without MX or address: refuse, warn (log only), off."""
    message_lifetime_seconds: int = 7 * 24 * 3600
    """How long the queue tries to deliver a message before it bounces."""

    def __post_init__(self) -> None:
        """Refuse a network that cannot be parsed."""
        for network in (*self.relay_networks, *self.trusted_networks):
            parse_network(network)
