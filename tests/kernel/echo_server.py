"""A server with one small module, for tests: `python -m tests.kernel.echo_server CONFIG DATA`.

Its listener `echo` answers every line with the process that serves it. The line "shout TEXT" is told on
the bus, and every process answers "heard" with what it has heard last.
"""

import asyncio
import os
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from freehold.errors import FreeholdError
from freehold.kernel.bus import Event
from freehold.kernel.config import load
from freehold.kernel.log_output import set_up
from freehold.kernel.metrics import counter
from freehold.kernel.module import ListenerSpec, Module, Role, Runtime, TlsMode
from freehold.kernel.server import Started, serve
from freehold.kernel.status import listener_addresses
from freehold.kernel.stream import Peer, StreamSession, Verdict

LINES = counter("echo_lines", "Lines answered.")


class Shouted(Event, frozen=True):
    """Somebody shouted."""

    text: str


class EchoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[echo]."""

    fail_at_start: bool = False
    idle_seconds: float = 30.0


class Heard:
    """What this process has heard last."""

    def __init__(self) -> None:
        self.text = ""

    def note(self, event: Shouted) -> None:
        """Remember it."""
        self.text = event.text


class EchoSession:
    """Answers lines."""

    def __init__(self, peer: Peer, runtime: Runtime, heard: Heard) -> None:
        self._peer = peer
        self._runtime = runtime
        self._heard = heard
        self._unread = b""
        self.idle_seconds = 30.0

    def receive(self, data: bytes) -> None:
        """Buffer."""
        self._unread += data

    async def advance(self) -> Verdict:
        """Answer every complete line."""
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            LINES.labels().inc()
            match line.decode().split(" "):
                case ["shout", text]:
                    self._runtime.bus.publish(Shouted(text))
                    self._peer.send(b"ok\n")
                case ["heard"]:
                    self._peer.send(f"{os.getpid()} {self._heard.text}\n".encode())
                case ["uid"]:
                    self._peer.send(f"{os.getuid()} {os.getgid()} {os.getgroups()}\n".encode())
                case ["stall"]:
                    self._peer.send(b"stalling\n")
                    await self._peer.flush()
                    await asyncio.Event().wait()
                case ["quit"]:
                    self._peer.send(b"bye\n")
                    return Verdict.CLOSE
                case _:
                    self._peer.send(f"{os.getpid()} {line.decode()}\n".encode())
        return Verdict.READ

    def tls_started(self) -> None:
        """Nothing is kept."""

    def timed_out(self) -> None:
        """Say so."""
        self._peer.send(b"too slow\n")

    def shutting_down(self) -> None:
        """Say so."""
        self._peer.send(b"going away\n")

    def ended(self) -> None:
        """Nothing is held."""


class NoTls:
    """A listener without TLS asks for no context."""

    def context(self) -> ssl.SSLContext:
        """Refuse."""
        raise RuntimeError("this server has no TLS")

    def reload(self) -> None:
        """Nothing to read."""

    def reload_if_changed(self) -> bool:
        """Nothing changes."""
        return False


def make_factory(runtime: Runtime) -> Callable[[Peer], StreamSession]:
    """Return what makes the sessions."""
    heard = Heard()
    runtime.bus.subscribe(Shouted, heard.note)
    return lambda peer: EchoSession(peer, runtime, heard)


async def start(runtime: Runtime, _stack: AsyncExitStack) -> None:
    """Fail if the settings want it."""
    settings = runtime.settings["echo"]
    if isinstance(settings, EchoSettings) and settings.fail_at_start:
        raise FreeholdError("told to fail")


async def first_start(_runtime: Runtime) -> Sequence[str]:
    """Say something once."""
    return ["first start of echo"]


ECHO = Module(
    name="echo",
    config=EchoSettings,
    events=(Shouted,),
    listeners=(ListenerSpec("echo", 7007, TlsMode.NONE, make_factory),),
    start={Role.FRONT: start},
    first_start=first_start,
)


def main(config: str, data: str) -> int:
    """Serve; says the addresses and the first start's lines on standard output."""
    try:
        configuration = load(Path(config) if config else None, Path(data), {"echo": EchoSettings})
        set_up(configuration.settings.log)

        def announce(started: Started) -> None:
            document = {
                "listeners": listener_addresses(started.service),
                "first_start": list(started.first_start),
                "metrics": started.service.monitor.getsockname()[1] if started.service.monitor else 0,
            }
            sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
            sys.stdout.flush()

        return serve(configuration, (ECHO,), lambda _runtime: NoTls(), announce)
    except FreeholdError as error:
        sys.stderr.write(f"error: {error.public}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
