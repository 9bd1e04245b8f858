"""A server that systemd opened the socket for."""

import asyncio
import os
import socket
import sys
from pathlib import Path

from tests.kernel.server_process import PATIENCE_SECONDS, ServerProcess
from tests.kernel.test_supervisor import ONE

ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="echo")
os.execv(sys.executable, [sys.executable, "-m", "tests.kernel.echo_server", *sys.argv[2:]])
"""
"""Becomes the server with the socket as descriptor 3, as systemd would start it."""


async def test_a_passed_socket_is_served_in_place_of_the_configured_address(tmp_path: Path) -> None:
    config = tmp_path / "freehold.toml"
    config.write_text(f"{ONE}[listen.echo]\naddresses = ['192.0.2.1:1']\n[metrics]\naddress = ''\n")
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = opened.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            ACTIVATE,
            str(opened.fileno()),
            str(config),
            str(tmp_path / "data"),
            cwd=Path(__file__).parents[2],
            env=dict(os.environ),
            pass_fds=(opened.fileno(),),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    server = ServerProcess(process, tmp_path / "data")
    try:
        await server.read_announcement()
        assert server.port == port
        assert server.announced["metrics"] == 0
        (answer,) = await server.ask("hello")
        assert answer.endswith(" hello")
        assert await server.stop() == 0
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await process.communicate()
