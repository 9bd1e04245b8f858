"""Delivery to Maildirs, mboxes and programs of the host's, and to nowhere."""

import fcntl
import os
import stat
import struct
from pathlib import Path

import pytest

from freehold.modules.mail.addresses.model import Resolution
from freehold.modules.mail.queue import local, local_courier, store
from freehold.modules.mail.queue.local import unix_pieces
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.protocols.mime.buffer import Buffer
from tests.modules.mail.queue.post_office import HOST_NUMBER, PostOffice

WHOLE = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
MESSAGE = b"Subject: x\r\n\r\nFrom me\r\n>From you\r\n.dot\r\n"
UNIX = b"Return-Path: <ann@example.test>\nSubject: x\n\nFrom me\n>From you\n.dot\n"


async def deliver(office: PostOffice, resolution: Resolution, content: bytes = MESSAGE) -> str:
    """Deliver one message, and return its reason to wait, or 'gone'."""
    await office.enqueue_resolved("list@example.test", resolution, content=content)
    await office.deliver()
    entries = await office.entries()
    return entries[-1].last_error if entries else "gone"


async def test_a_maildir_is_made_and_gets_one_private_file(any_office: PostOffice, tmp_path: Path) -> None:
    path = tmp_path / "some" / "Maildir"
    assert await deliver(any_office, Resolution(maildirs=(f"{path}/",))) == "gone"
    (file,) = (path / "new").iterdir()
    assert file.read_bytes() == UNIX
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((path / "tmp").iterdir()) == list((path / "cur").iterdir()) == []
    assert await any_office.states(f"{path}/".lower()) == ["delivered"]


async def test_a_delivery_repeated_after_a_crash_replaces_the_file(
    office: PostOffice, tmp_path: Path
) -> None:
    await office.enqueue_resolved("list@example.test", Resolution(maildirs=(f"{tmp_path}/M/",)))
    for _ in range(2):
        lane = (await _lanes(office))[0]
        claim = await office.claim(lane)
        assert claim is not None
        await office.couriers.make(lane).deliver(claim)
        await office.runtime.database.write(store.end_leases, host=HOST_NUMBER)
    assert len(list((tmp_path / "M" / "new").iterdir())) == 1


@pytest.mark.parametrize("folder", ["tmp", "new"])
async def test_a_link_within_a_maildir_is_not_followed(
    office: PostOffice, tmp_path: Path, folder: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "M").mkdir()
    (tmp_path / "M" / folder).symlink_to(elsewhere)
    assert "gone" not in await deliver(office, Resolution(maildirs=(f"{tmp_path}/M/",)))
    assert list(elsewhere.iterdir()) == []


async def test_an_mbox_grows_message_by_message(any_office: PostOffice, tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    for _ in range(2):
        assert await deliver(any_office, Resolution(mboxes=(str(path),))) == "gone"
    quoted = UNIX.replace(b"\nFrom me", b"\n>From me").replace(b"\n>From you", b"\n>>From you")
    first, second, rest = path.read_bytes().split(b"From ann@example.test ")
    assert (first, rest.partition(b"\n")[2]) == (b"", quoted + b"\n")
    assert second.partition(b"\n")[2] == quoted + b"\n"


async def test_a_torn_tail_of_another_writer_does_not_swallow_the_next_message(
    office: PostOffice, tmp_path: Path
) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"From x\nSubject: torn")
    await deliver(office, Resolution(mboxes=(str(path),)), content=b"Subject: x\r\n\r\nno end")
    assert b"torn\nFrom ann@example.test " in path.read_bytes()
    assert path.read_bytes().endswith(b"no end\n\n")


@pytest.mark.parametrize("how", ["flock", "fcntl"])
async def test_a_locked_mbox_waits(
    office: PostOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(local_courier, "LOCK_SECONDS", 0.2)
    path = tmp_path / "mbox"
    with path.open("wb") as other:
        if how == "flock":
            fcntl.flock(other, fcntl.LOCK_EX)
        else:
            fcntl.fcntl(other, fcntl.F_OFD_SETLK, WHOLE)
        assert "locked" in await deliver(office, Resolution(mboxes=(str(path),)))
    office.clock.forward(seconds=2000)
    await office.deliver()
    assert await office.entries() == []


async def test_an_mbox_is_a_plain_file_and_no_link_or_pipe(office: PostOffice, tmp_path: Path) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        assert await deliver(office, Resolution(mboxes=(str(tmp_path / name),))) != "gone"
    assert (tmp_path / "target").read_bytes() == b""


def test_pieces_end_at_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:

    message: Buffer = b"one\r\ntwo\r\n\r\nthree"
    for size in range(1, 20):
        monkeypatch.setattr(local, "COPY_BYTES", size)
        pieces = list(unix_pieces(message))
        assert b"".join(pieces) == b"one\ntwo\n\nthree"
        assert all(piece.endswith(b"\n") for piece in pieces[:-1])


def script(tmp_path: Path, text: str) -> Resolution:
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return Resolution(programs=(f"{path} 'an argument' '$HOME;`id`'",))


async def test_a_program_gets_message_arguments_and_a_bare_environment(
    any_office: PostOffice, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = script(tmp_path, f'cat > {out}; env > {out}.env; echo "$#:$1:$2" > {out}.arguments')
    assert await deliver(any_office, program) == "gone"
    assert out.read_bytes() == UNIX
    assert (tmp_path / "out.arguments").read_text() == "2:an argument:$HOME;`id`\n"
    names = {line.partition("=")[0] for line in (tmp_path / "out.env").read_text().splitlines()}
    assert names <= {"PATH", "LANG", "SENDER", "RECIPIENT", "MESSAGE_TRACE", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "RECIPIENT=list@example.test" in (tmp_path / "out.env").read_text()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("exit 75", "exit status 75"),
        ("echo busy; exit 71", "exit status 71: busy"),
        ("kill -9 $$", "signal 9"),
        ("sleep 600 & exit 75", "exit status 75"),
    ],
)
async def test_a_program_that_fails_for_now_is_run_again(
    office: PostOffice, tmp_path: Path, text: str, reason: str
) -> None:
    assert (await deliver(office, script(tmp_path, text))).endswith(reason)


@pytest.mark.parametrize(("code", "status"), [(67, b"5.1.1"), (77, b"5.7.0"), (1, b"5.3.0"), (64, b"5.3.0")])
async def test_a_program_that_fails_for_good_bounces(
    office: PostOffice, tmp_path: Path, code: int, status: bytes
) -> None:
    assert await deliver(office, script(tmp_path, f"echo because; exit {code}")) == "gone"
    (report,) = await office.host.messages_of("ann@example.test")
    assert b"Status: " + status in report
    assert b"because" in report


async def test_a_program_need_not_read_and_may_leave_nothing_running(
    office: PostOffice, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    program = script(tmp_path, f"sleep 600 & echo $! > {note}; exit 0")
    assert await deliver(office, program, content=b"x\r\n" * 300_000) == "gone"
    assert not _is_running(int(note.read_text()))


async def test_a_program_that_hangs_is_killed_with_its_children(office: PostOffice, tmp_path: Path) -> None:
    office.configure(QueueSettings(program_seconds=0.5))
    note = tmp_path / "note"
    reason = await deliver(office, script(tmp_path, f"sleep 600 & echo $! > {note}; wait"))
    assert "still running after 0.5 s" in reason
    assert not _is_running(int(note.read_text()))


async def test_a_program_that_prints_without_end_is_bounded(office: PostOffice, tmp_path: Path) -> None:
    office.configure(QueueSettings(program_seconds=0.5))
    reason = await deliver(office, script(tmp_path, "yes"))
    assert len(reason) < 2000
    reason = await deliver(office, script(tmp_path, "head -c 9000000 /dev/zero | tr '\\0' 'z'; exit 75"))
    assert len(reason) <= 1000


async def test_a_program_has_a_memory_limit(office: PostOffice, tmp_path: Path) -> None:
    office.configure(QueueSettings(program_memory_bytes=64 * 1024 * 1024))
    note = tmp_path / "note"
    await deliver(office, script(tmp_path, f"cat > /dev/null; ulimit -v > {note}"))
    assert note.read_text() == "65536\n"


async def test_a_missing_program_waits_to_be_repaired(office: PostOffice, tmp_path: Path) -> None:
    missing = Resolution(programs=(str(tmp_path / "missing"),))
    assert "No such file" in await deliver(office, missing)


async def test_what_is_discarded_leaves_only_its_trace(any_office: PostOffice) -> None:
    assert await deliver(any_office, Resolution(discard=True)) == "gone"
    assert await any_office.states("list@example.test") == ["discarded"]
    assert await any_office.references() == {}


async def _lanes(office: PostOffice) -> list[store.Lane]:
    found = await office.runtime.database.read(store.due_lanes, now_ms=office.clock.now_ms(), most=9)
    return [lane for lane, _count in found]


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] not in "ZX"
    except FileNotFoundError:
        return False
