"""The supervisor and its workers, as real processes."""

import asyncio
import json
import os
import pwd
import signal
import socket
from pathlib import Path

import pytest

from freehold.kernel.bus_client import publish_once
from freehold.kernel.bus_wire import socket_path
from tests.kernel.echo_server import Shouted
from tests.kernel.server_process import (
    PATIENCE_SECONDS,
    ServerProcess,
    import_path,
    open_python,
    running,
    start,
)

MYSELF = f"user = '{pwd.getpwuid(os.geteuid()).pw_name}'\n"
TWO = f"workers = 2\n{MYSELF}"
ONE = f"workers = 1\n{MYSELF}"
SINGLE = f"workers = 0\n{MYSELF}"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


async def test_a_killed_worker_is_replaced_and_the_reason_is_logged(tmp_path: Path) -> None:
    async with running(tmp_path, ONE) as server:
        (answer,) = await server.ask("hello")
        pid = int(answer.split()[0])
        os.kill(pid, signal.SIGKILL)
        status = await server.status_when_all_ready(without_pid=pid)
        (again,) = await server.ask("hello")
        assert int(again.split()[0]) != pid
        assert [worker.restarts for worker in status.workers if worker.name == "front-1"] == [1]
        assert await server.stop() == 0
        assert "killed by SIGKILL" in await server.errors()


async def test_the_whole_server_ends_with_its_supervisor(tmp_path: Path) -> None:
    async with running(tmp_path, TWO) as server:
        pids = [worker.pid for worker in (await server.status()).workers]
        await server.stop(signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            for pid in pids:
                await _gone(pid)


async def _gone(pid: int) -> None:
    """Wait until a process that is no child of ours has ended (pidfd_open(2))."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("toml", [TWO, SINGLE])
async def test_sigterm_says_farewell_to_idle_connections_and_exits_with_zero(
    tmp_path: Path, toml: str
) -> None:
    async with running(tmp_path, toml) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"hello\n")
        await reader.readline()
        assert await server.stop() == 0
        assert await reader.read() == b"going away\n"
        writer.close()
        assert not socket_path(server.data).exists()


async def test_a_second_signal_does_not_wait_for_the_drain(tmp_path: Path) -> None:
    async with running(tmp_path, f"drain_seconds = 600\n{ONE}") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"stall\n")
        assert await reader.readline() == b"stalling\n"
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(_wait_until_refused, server.port)
        assert await server.stop() == 0
        writer.close()


def _wait_until_refused(port: int) -> None:
    """Return once the first signal has taken effect: a drained worker accepts nothing any more."""
    while True:
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.settimeout(0.2)
            try:
                probe.sendall(b"x\n")
                if not probe.recv(100):
                    return
            except TimeoutError:
                return
            except ConnectionError:
                return


async def test_a_second_server_on_the_folder_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    async with running(tmp_path, ONE) as server:
        second = await start(tmp_path / "freehold.toml", server.data)
        _, errors = await second.communicate()
        assert second.returncode == 1
        assert f"process {server.process.pid}" in errors.decode()


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = tmp_path / "freehold.toml"
        config.write_text(f"{MYSELF}[listen.echo]\naddresses = ['127.0.0.1:{port}']\n")
        process = await start(config, tmp_path / "data")
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert f"listen.echo: cannot listen on 127.0.0.1:{port}: another program has the port" in errors.decode()


async def test_an_unknown_listener_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    config = tmp_path / "freehold.toml"
    config.write_text(f"{MYSELF}[listen.ecko]\naddresses = []\n")
    process = await start(config, tmp_path / "data")
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert "listen.ecko: unknown key; did you mean echo?" in errors.decode()


async def test_a_server_whose_workers_cannot_start_gives_up(tmp_path: Path) -> None:
    async with running(tmp_path, ONE + "[echo]\nfail_at_start = true\n", announced=False) as server:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await server.process.wait() == 1
        assert "the server cannot start" in await server.errors()


@pytest.mark.parametrize("toml", [TWO, SINGLE])
async def test_news_of_a_command_reaches_every_process(tmp_path: Path, toml: str) -> None:
    async with running(tmp_path, toml) as server:
        await asyncio.to_thread(publish_once, socket_path(server.data), Shouted("hey"))
        await _all_hear(server, "hey", processes=2 if toml == TWO else 1)


async def test_news_of_one_worker_reaches_itself_and_the_others(tmp_path: Path) -> None:
    async with running(tmp_path, TWO) as server:
        assert await server.ask("shout hello") == ["ok"]
        await _all_hear(server, "hello", processes=2)


async def _all_hear(server: ServerProcess, text: str, *, processes: int) -> None:
    """Ask on new connections until so many different processes have answered that they heard the text."""
    heard: set[str] = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(heard) < processes:
            answers = await asyncio.gather(*(server.ask("heard") for _ in range(8)))
            for (answer,) in answers:
                pid, _, said = answer.partition(" ")
                if said == text:
                    heard.add(pid)


async def test_metrics_are_added_up_over_workers_and_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, TWO) as server:
        pids: set[str] = set()
        asked = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(pids) < 2:
                answers = await asyncio.gather(*(server.ask("x") for _ in range(8)))
                asked += len(answers)
                pids |= {answer.split()[0] for (answer,) in answers}
        assert f"echo_lines_total {asked}.0" in (await server.get("/metrics"))[1]
        victim = int(pids.pop())
        os.kill(victim, signal.SIGKILL)
        await server.status_when_all_ready(without_pid=victim)
        status, text = await server.get("/metrics")
        assert status == 200
        assert f"echo_lines_total {asked}.0" in text
        assert "freehold_worker_restarts_total" in text


@pytest.mark.parametrize("toml", [ONE, SINGLE])
async def test_health_tells_of_the_database_and_each_worker(tmp_path: Path, toml: str) -> None:
    async with running(tmp_path, toml) as server:
        status, body = await server.get("/health")
        health = json.loads(body)
        names = {"all"} if toml == SINGLE else {"front-1", "back"}
        assert (status, health["ok"], health["database_writable"]) == (200, True, True)
        assert set(health["workers"]) == names


async def test_an_unknown_page_is_not_found(tmp_path: Path) -> None:
    async with running(tmp_path, SINGLE) as server:
        assert (await server.get("/"))[0] == 404


async def test_systemd_is_told_ready_reloading_and_stopping(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        loop = asyncio.get_running_loop()

        async def told() -> list[str]:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await loop.sock_recv(manager, 4096)).decode().split("\n")

        async with running(tmp_path, ONE, environment={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as server:
            assert f"MAINPID={server.process.pid}" in await told()
            server.process.send_signal(signal.SIGHUP)
            reloading = await told()
            assert reloading[0] == "RELOADING=1"
            assert reloading[1].startswith("MONOTONIC_USEC=")
            assert await told() == ["READY=1"]
            assert await server.stop() == 0
            assert await told() == ["STOPPING=1"]


async def test_the_watchdog_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        async with running(tmp_path, ONE, environment=environment), asyncio.timeout(PATIENCE_SECONDS):
            said: list[bytes] = []
            while said.count(b"WATCHDOG=1") < 3:
                said.append(await asyncio.get_running_loop().sock_recv(manager, 4096))


@needs_root
@pytest.mark.skipif(open_python() is None, reason="no interpreter that another user could run")
async def test_root_becomes_the_user_and_gives_it_the_data_folder(tmp_path: Path) -> None:
    python = open_python() or ""
    nobody = pwd.getpwnam("nobody")
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/tmp"):
            folder.chmod(0o755)
        if folder.parent == Path("/tmp"):
            break
    toml = "workers = 1\nuser = 'nobody'\n"
    async with running(tmp_path, toml, environment=import_path(), python=python) as server:
        (answer,) = await server.ask("uid")
        assert answer.startswith(f"{nobody.pw_uid} {nobody.pw_gid} ")
        assert {path.stat().st_uid for path in [server.data, *server.data.rglob("*")]} == {nobody.pw_uid}
        assert "NoNewPrivs:\t1" in await asyncio.to_thread(_proc_status, server.process.pid)
        assert (server.data.stat().st_mode & 0o777) == 0o700


def _proc_status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


@needs_root
async def test_root_without_a_user_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path, "", announced=False) as server:
        assert await server.process.wait() == 1
        assert "does not run as root" in await server.errors()
