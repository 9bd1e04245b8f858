"""Thunderbird without a screen, led through Marionette, the remote control that it has for tests."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.scenarios.clients import BOB, PASSWORD, need
from tests.scenarios.server import Server, free_port

STEPS = (Path(__file__).parent / "thunderbird" / "steps.js").read_text()
START_SECONDS = 45.0
ANSWER_SECONDS = 40.0
REFUSED = re.compile(r"CreateNewLineFromSocket: (\d+ (?:BAD|NO) .*|\* BAD .*)")
SAID = re.compile(r"SendData: (?:\d+ )?(.*)")


class Thunderbird:
    """One running Thunderbird: steps of steps.js are done in it, one after another."""

    def __init__(self, control: socket.socket, log: Path) -> None:
        self._control = control
        self._heard = control.makefile("rb")
        self._commands = 0
        self._log = log
        self._receive()
        self._command("WebDriver:NewSession", {})
        self._command("Marionette:SetContext", {"value": "chrome"})

    def do(self, step: str, *arguments: Any) -> Any:
        """Do a step and return what comes of it; fails with what went wrong in Thunderbird."""
        call = "const [given, done] = [[...arguments].slice(0, -1), arguments[arguments.length - 1]];\n"
        call += f"steps.{step}(...given).then(value => done([value ?? null, null]), "
        call += "error => done([null, `${error}\\n${error.stack}`]));"
        answer = self._command(
            "WebDriver:ExecuteAsyncScript", {"script": f"{STEPS}\n{call}", "args": list(arguments)}
        )
        value, error = answer["value"]
        assert error is None, error
        return value

    def sign_in(self, server: Server) -> None:
        """Set up Bob's account with his password, and trust the server's certificate."""
        self.do("addAccount", account_at(server, "imaps"))

    def send(self, server: Server, to: str, message: Path) -> None:
        """Send a message from a file as Bob, through the server, and wait until it has taken it."""
        self.do("send", {**account_at(server, "submissions"), "to": to, "file": str(message)})

    def quit(self) -> None:
        """Have Thunderbird end as if its user had closed it."""
        self._command("Marionette:Quit", {"flags": ["eForceQuit"]})

    def commands(self) -> list[str]:
        """Return the IMAP commands said so far, without their tags."""
        return SAID.findall(self._log.read_text("utf-8", "replace"))

    def refusals(self) -> list[str]:
        """Return the answers so far that were NO or BAD."""
        return REFUSED.findall(self._log.read_text("utf-8", "replace"))

    def _command(self, name: str, parameters: dict[str, Any]) -> Any:
        self._commands += 1
        request = json.dumps([0, self._commands, name, parameters]).encode()
        self._control.sendall(b"%d:%b" % (len(request), request))
        _, number, error, result = self._receive()
        assert (number, error) == (self._commands, None), error
        return result

    def _receive(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            octet = self._heard.read(1)
            assert octet, "Thunderbird has ended"
            size += octet
        return json.loads(self._heard.read(int(size[:-1])))


def account_at(server: Server, listener: str) -> dict[str, Any]:
    """Return what Thunderbird must know of Bob's account at one of the server's ports."""
    port = server.ports[listener]
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=ANSWER_SECONDS)
    certificate = "".join(pem.splitlines()[1:-1])
    return {"login": BOB, "password": PASSWORD, "port": port, "certificate": certificate}


@contextmanager
def thunderbird(home: Path) -> Iterator[Thunderbird]:
    """Start Thunderbird with a profile, made if there is none; fails if the server ever said NO or BAD."""
    need("thunderbird")
    profile, port, log = home / "profile", free_port(), home / "imap.log"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    environment |= {"MOZ_LOG": "IMAP:4,sync", "MOZ_LOG_FILE": str(log.with_suffix("")), "NO_AT_BRIDGE": "1"}
    command = ["thunderbird", "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    with (home / "thunderbird.log").open("ab") as output:
        process = subprocess.Popen(
            [*command, "--profile", str(profile)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
    try:
        with control_of(process, port) as control:
            running = Thunderbird(control, log.with_suffix(".moz_log"))
            yield running
            assert running.refusals() == []
            running.quit()
            process.wait(START_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def control_of(process: subprocess.Popen[bytes], port: int) -> socket.socket:
    """Return a connection to the remote control as soon as it is there."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        assert process.poll() is None, f"Thunderbird ended with {process.returncode}"
        assert time.monotonic() < deadline, "Thunderbird does not start"
        time.sleep(0.05)
