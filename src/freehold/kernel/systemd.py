"""What systemd and the server tell each other: readiness, the watchdog, and sockets it opened for us.

Protocols: sd_notify(3), sd_listen_fds(3). Without systemd everything here does nothing.
"""

import os
import socket
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Final

FIRST_DESCRIPTOR: Final = 3
MICROSECONDS: Final = 1_000_000


class Notifier:
    """Tells the service manager about the state of the service."""

    __slots__ = ("_address",)

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def tell(self, *lines: str) -> None:
        """Send the lines ("READY=1") as one datagram; a manager that does not listen changes nothing."""
        if not self._address:
            return
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.settimeout(1.0)
            sender.sendto("\n".join(lines).encode(), self._address)


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return how often the watchdog wants to be told (half its limit), or None when there is none."""
    limit = environment.get("WATCHDOG_USEC", "")
    if not limit.isdigit() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(limit) / MICROSECONDS / 2


def take_sockets(
    environment: MutableMapping[str, str] = os.environ,
) -> dict[str, list[socket.socket]]:
    """Return the listening sockets from systemd by FileDescriptorName, and forget the variables.

    The variables are removed so that no child takes the sockets for its own.
    """
    names = environment.pop("LISTEN_FDNAMES", "")
    amount = environment.pop("LISTEN_FDS", "")
    pid = environment.pop("LISTEN_PID", "")
    sockets: dict[str, list[socket.socket]] = {}
    if pid != str(os.getpid()) or not amount.isdigit():
        return sockets
    named = names.split(":") if names else []
    for index in range(int(amount)):
        name = named[index] if index < len(named) else "unknown"
        taken = socket.socket(fileno=FIRST_DESCRIPTOR + index)
        taken.set_inheritable(False)
        taken.settimeout(0)
        sockets.setdefault(name, []).append(taken)
    return sockets
