"""Settings of the queue (section `[mail.queue]`)."""

import msgspec


class QueueSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When and how queued mail is tried; times in seconds."""

    first_retry_seconds: int = 1000
    """Pause after the first failed attempt; it doubles with each further one."""
    longest_retry_seconds: int = 8000
    """The longest pause between two attempts."""
    delay_warning_seconds: int = 4 * 3600
    """Age at which the sender is told that delivery is late; 0: never."""
    max_lanes: int = 50
    """Deliveries under way at once, over all destinations."""
    max_lanes_per_destination: int = 4
    """Connections to one destination at once."""
    max_messages_per_connection: int = 100
    """Messages sent over one connection before it is closed."""
    connect_seconds: float = 30.0
    """How long to wait for a TCP connection."""
    command_seconds: float = 300.0
    """How long to wait for the reply to a command (RFC 5321 §4.5.3.2)."""
    data_seconds: float = 600.0
    """How long to wait for the reply to the end of a message (RFC 5321 §4.5.3.2.6)."""
    program_seconds: float = 120.0
    """How long a program that mail is delivered to may run."""
    program_memory_bytes: int = 512 * 1024 * 1024
    """Address space of such a program."""
    smtp_port: int = 25
    """Port that mail exchangers are reached at."""
