"""Socket activation and notification."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from freehold.kernel.systemd import Notifier, take_sockets, watchdog_seconds

SCRIPT = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from freehold.kernel.systemd import take_sockets
sockets = take_sockets()
print(sorted((name, len(found), found[0].getsockname()[1]) for name, found in sockets.items()))
print([name for name in os.environ if name.startswith("LISTEN_")])
"""


def test_passed_sockets_are_taken_by_name_and_the_variables_forgotten() -> None:
    with socket.create_server(("127.0.0.1", 0)) as smtp, socket.create_server(("127.0.0.1", 0)) as imap:
        ports = smtp.getsockname()[1], imap.getsockname()[1]
        arguments = f'exec "$0" -c "$1" 3<&{smtp.fileno()} 4<&{imap.fileno()}'
        said = subprocess.run(
            ["bash", "-c", arguments, sys.executable, SCRIPT],
            env={**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "smtp:imap"},
            pass_fds=(smtp.fileno(), imap.fileno()),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    assert said == [f"[('imap', 1, {ports[1]}), ('smtp', 1, {ports[0]})]", "[]"]


def test_sockets_for_another_process_are_not_taken() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"}
    assert take_sockets(environment) == {}
    assert environment == {}


def test_without_systemd_nothing_is_told() -> None:
    Notifier({}).tell("READY=1")


def test_a_manager_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")


def test_the_abstract_socket_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0freehold-test-{os.getpid()}")
        Notifier({"NOTIFY_SOCKET": f"@freehold-test-{os.getpid()}"}).tell("READY=1", "STATUS=x")
        assert manager.recv(100) == b"READY=1\nSTATUS=x"


def test_the_watchdog_is_told_at_half_its_limit() -> None:
    assert watchdog_seconds({"WATCHDOG_USEC": "10000000"}) == 5.0
    assert watchdog_seconds({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_seconds({}) is None
