"""mbsync keeps a Maildir and the server alike, in both directions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped] # it has no types

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    below_trace,
    certificate_of,
    deliver,
    empty,
    message,
    need,
    open_imap,
    read_all,
    run_program,
    subjects,
    write_private,
)
from tests.scenarios.server import Server, running_server, trusting_context

pytestmark = pytest.mark.scenario

MANY = 1000
WITHOUT_EXTENSIONS = (
    "DisableExtensions LITERAL+ UIDPLUS MOVE NAMESPACE COMPRESS=DEFLATE",
    "PipelineDepth 1",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        yield started


class Synchronizer:
    """A Maildir on a laptop that mbsync keeps like one login's folders."""

    def __init__(self, server: Server, login: str, home: Path, *options: str) -> None:
        self.mail = home / "mail"
        self.mail.mkdir(parents=True)
        self._home = home
        self._settings = write_private(
            home / "mbsyncrc",
            "IMAPStore server",
            "Host 127.0.0.1",
            f"Port {server.ports['imaps']}",
            f"User {login}",
            f"Pass {PASSWORD}",
            "SSLType IMAPS",
            f"CertificateFile {certificate_of(server)}",
            *options,
            "",
            "MaildirStore laptop",
            f"Path {self.mail}/",
            f"Inbox {self.mail}/INBOX",
            "SubFolders Verbatim",
            "",
            "Channel all",
            "Far :server:",
            "Near :laptop:",
            "Patterns *",
            "Create Both",
            "Remove Both",
            "Expunge Both",
            "SyncState *",
            "CopyArrivalDate yes",
        )

    def run(self) -> None:
        """Synchronize all folders once."""
        run_program("mbsync", "-c", str(self._settings), "-a", home=self._home)

    def files(self, folder: str = "INBOX") -> list[Path]:
        """Return the files of the messages in a folder."""
        return sorted(self.mail.joinpath(folder).glob("[cn][ue][rw]/*"))

    def find(self, subject: str, folder: str = "INBOX") -> Path:
        """Return the file of the one message with this subject."""
        (found,) = [one for one in self.files(folder) if f"Subject: {subject}\n".encode() in one.read_bytes()]
        return found

    def state(self) -> dict[str, bytes]:
        """Return all names and contents, to see that nothing changes; the sync journal aside."""
        return {
            str(one.relative_to(self.mail)): one.read_bytes()
            for one in self.mail.rglob("*")
            if one.is_file() and one.parent.name in ("cur", "new")
        }


def without_tuid(content: bytes) -> bytes:
    """Return a message with the mail's line ends and without the field that mbsync adds to find copies."""
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"X-TUID: "))


def mark(path: Path, flags: str) -> None:
    """Give a message of a Maildir these flags, as a mail program does."""
    name = path.name.partition(":")[0]
    path.rename(path.parent.parent / "cur" / f"{name}:2,{flags}")


@pytest.mark.parametrize("options", [(), WITHOUT_EXTENSIONS], ids=["as offered", "without extensions"])
def test_mbsync_synchronizes_messages_flags_and_removals_both_ways(
    server: Server, tmp_path: Path, options: tuple[str, ...]
) -> None:
    need("mbsync")
    empty(server)
    laptop = Synchronizer(server, BOB, tmp_path, *options)
    sent = [message(f"mbsync {number}", "Line\r\n" * number) for number in range(5)]
    deliver(server, *sent)
    laptop.run()
    assert len(laptop.files()) == 5
    for number, content in enumerate(sent):
        assert below_trace(without_tuid(laptop.find(f"mbsync {number}").read_bytes())) == content

    mark(laptop.find("mbsync 0"), "S")
    mark(laptop.find("mbsync 1"), "FRS")
    laptop.find("mbsync 2").unlink()
    with open_imap(server) as client:
        client.select()
        client.store("4", "+FLAGS", r"(\Flagged \Answered)")
        client.store("5", "+FLAGS", r"(\Deleted)")
        client.expunge()
    laptop.run()
    names = [one.name.partition(":2,")[2] for one in map(laptop.find, ("mbsync 0", "mbsync 1", "mbsync 3"))]
    assert names == ["S", "FRS", "FR"]
    assert len(laptop.files()) == 3
    assert subjects(read_all(server)) == ["mbsync 0", "mbsync 1", "mbsync 3"]
    with open_imap(server) as client:
        client.select()
        _, found = client.search(None, "SEEN", "FLAGGED", "ANSWERED")
        assert found == [b"2"]

    before = laptop.state()
    laptop.run()
    assert laptop.state() == before
    assert subjects(read_all(server)) == ["mbsync 0", "mbsync 1", "mbsync 3"]


def test_mbsync_makes_folders_and_uploads_messages_both_ways(server: Server, tmp_path: Path) -> None:
    need("mbsync")
    laptop = Synchronizer(server, ANN, tmp_path)
    laptop.run()
    folder = laptop.mail / "Projects" / "Dach &- K&AOQ-se"
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
        (laptop.mail / "Projects" / part).mkdir()
    place = folder / "cur" / "1.2.laptop:2,FS"
    place.write_bytes(message("from the laptop").replace(b"\r\n", b"\n"))
    with open_imap(server, ANN) as client:
        assert client.create("Projects.2026/Plan")[0] == "OK"
        client.append("Projects.2026/Plan", r"\Draft", "", message("from the server"))
    laptop.run()
    (uploaded,) = read_all(server, ANN, "Projects/Dach &- K&AOQ-se")
    assert without_tuid(uploaded) == message("from the laptop")
    assert laptop.find("from the server", "Projects.2026/Plan").name.endswith(":2,D")
    before = laptop.state()
    laptop.run()
    assert laptop.state() == before


def test_mbsync_unites_what_was_changed_on_both_sides(server: Server, tmp_path: Path) -> None:
    need("mbsync")
    empty(server)
    laptop = Synchronizer(server, BOB, tmp_path)
    deliver(server, *(message(f"both {number}") for number in range(1, 7)))
    laptop.run()
    mark(laptop.find("both 1"), "F")
    mark(laptop.find("both 2"), "S")
    laptop.find("both 3").unlink()
    laptop.find("both 4").unlink()
    mark(laptop.find("both 5"), "FS")
    with open_imap(server) as client:
        client.select()
        client.store("1", "+FLAGS", r"(\Seen)")
        client.store("2", "+FLAGS", r"(\Seen \Answered)")
        client.store("3", "+FLAGS", r"(\Flagged)")
        client.store("4,5", "+FLAGS", r"(\Deleted)")
        client.expunge()
    deliver(server, message("both new there"))
    new = laptop.mail / "INBOX" / "new" / "1.2.laptop"
    new.write_bytes(message("both new here").replace(b"\r\n", b"\n"))
    laptop.run()
    here = sorted(subjects([one.read_bytes() for one in laptop.files()]))
    assert here == sorted(subjects(read_all(server)))
    assert here == ["both 1", "both 2", "both 6", "both new here", "both new there"]
    assert laptop.find("both 1").name.endswith(":2,FS")
    assert laptop.find("both 2").name.endswith(":2,RS")
    with open_imap(server) as client:
        client.select()
        assert client.search(None, "SEEN", "FLAGGED")[1] == [b"1"]
        assert client.search(None, "SEEN", "ANSWERED")[1] == [b"2"]


def test_mbsync_carries_a_thousand_messages(server: Server, tmp_path: Path) -> None:
    need("mbsync")
    empty(server)
    laptop = Synchronizer(server, BOB, tmp_path)
    sent = [message(f"many {number}", "x" * (number % 70)) for number in range(MANY)]
    with IMAPClient("127.0.0.1", server.ports["imaps"], ssl_context=trusting_context()) as client:
        client.login(BOB, PASSWORD)
        client.multiappend("INBOX", sent)
    laptop.run()
    files = laptop.files()
    assert {below_trace(without_tuid(one.read_bytes())) for one in files} == set(sent)
    for one in files[::10]:
        one.unlink()
    for one in files[1::10]:
        mark(one, "S")
    laptop.run()
    assert len(read_all(server)) == MANY - MANY // 10
    with open_imap(server) as client:
        client.select()
        assert len(client.search(None, "SEEN")[1][0].split()) == MANY // 10
