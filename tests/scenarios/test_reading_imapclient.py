"""IMAPClient and imaplib: several connections at once, each served by any of the processes."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped] # it has no types

from tests.scenarios.clients import ANN, BOB, PASSWORD, deliver, message, open_imap
from tests.scenarios.server import Server, running_server, trusting_context

pytestmark = pytest.mark.scenario

WAIT_SECONDS = 20.0


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server, with two front processes, for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server"), workers=2) as server:
        yield server


@contextmanager
def connected(server: Server, login: str = BOB) -> Iterator[IMAPClient]:
    """Log in with IMAPClient."""
    client = IMAPClient(
        "127.0.0.1", server.ports["imaps"], ssl_context=trusting_context(), timeout=WAIT_SECONDS
    )
    try:
        client.login(login, PASSWORD)
        yield client
    finally:
        client.logout()


def worker_of(server: Server, client: IMAPClient) -> int:
    """Return the process that serves a connection, found by its sockets as `ss` does."""
    ours: socket.socket = client.socket()
    own_port = ours.getsockname()[1]
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[2].endswith(f":{own_port:04X}")
    }
    for pid in server.pids()[1:]:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if descriptor.is_symlink() and str(descriptor.readlink())[8:-1] in inodes:
                return pid
    raise AssertionError("nobody serves this connection")


def test_idle_in_every_process_wakes_when_mail_arrives_in_any(server: Server) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(server)) for _ in range(12)]
        assert len({worker_of(server, client) for client in clients}) == 2
        for client in clients:
            client.select_folder("INBOX")
            client.idle()
        for number in (1, 2):
            deliver(server, message(f"idle {number}"))
            for client in clients:
                assert until_idle_says(client, b"EXISTS") == (number, b"EXISTS")
        for client in clients:
            client.idle_done()
            assert client.search() == [*client.search(["SUBJECT", "idle"])]


def until_idle_says(client: IMAPClient, word: bytes) -> tuple[int, bytes]:
    """Return the first untagged response of a kind."""
    while True:
        said = client.idle_check(timeout=WAIT_SECONDS)
        assert said, f"waited in vain for {word.decode()}"
        for each in said:
            if each[1] == word:
                return each[0], each[1]


def test_flags_and_expunges_of_one_client_reach_another_that_idles(server: Server) -> None:
    deliver(server, message("one"), message("two"))
    with connected(server) as idler, connected(server) as other:
        idler.select_folder("INBOX")
        idler.idle()
        other.select_folder("INBOX")
        other.add_flags(other.search(["SUBJECT", "two"]), [rb"\Flagged"])
        assert until_idle_says(idler, b"FETCH")[0] == 2
        other.delete_messages(other.search(["SUBJECT", "one"]))
        other.expunge()
        assert until_idle_says(idler, b"EXPUNGE") == (1, b"EXPUNGE")
        idler.idle_done()


def test_one_client_expunges_while_another_fetches(server: Server) -> None:
    deliver(server, *(message(f"number {number}", "x" * 2000) for number in range(1, 41)))
    with connected(server) as reader, connected(server) as remover:
        assert reader.select_folder("INBOX")[b"EXISTS"] == 40
        remover.select_folder("INBOX")
        uids = remover.search()
        remover.delete_messages(uids[::2])
        remover.expunge()
        fetched = reader.fetch(uids, ["BODY.PEEK[HEADER.FIELDS (SUBJECT)]", "FLAGS"])
        kept = {uid: fetched[uid] for uid in uids[1::2]}
        assert len(kept) == 20
        for number, uid in zip(range(2, 41, 2), kept, strict=True):
            header = kept[uid][b"BODY[HEADER.FIELDS (SUBJECT)]"]
            assert header == f"Subject: number {number}\r\n\r\n".encode()
        reader.noop()
        assert reader.search() == uids[1::2]
        assert set(reader.fetch(uids, ["UID"])) == set(uids[1::2])


def test_messages_move_copy_and_append_with_flags_and_date(server: Server) -> None:
    moment = datetime(2020, 2, 29, 12, 30, 45, tzinfo=UTC)
    with connected(server) as client:
        client.create_folder("Arbeit/Büro")
        client.append("INBOX", message("appended"), flags=[rb"\Seen", b"$Later"], msg_time=moment)
        client.select_folder("INBOX")
        (uid,) = client.search(["SUBJECT", "appended"])
        client.normalise_times = False
        found = client.fetch([uid], ["FLAGS", "INTERNALDATE", "BODY.PEEK[]", "RFC822.SIZE"])[uid]
        assert set(found[b"FLAGS"]) >= {rb"\Seen", b"$Later"}
        assert found[b"INTERNALDATE"] == moment
        assert found[b"BODY[]"] == message("appended")
        assert found[b"RFC822.SIZE"] == len(message("appended"))
        client.copy([uid], "Arbeit/Büro")
        client.move([uid], "Archive")
        assert client.search() == []
        for folder in ("Arbeit/Büro", "Archive"):
            client.select_folder(folder, readonly=True)
            (there,) = client.search()
            copied = client.fetch([there], ["FLAGS", "INTERNALDATE"])[there]
            assert set(copied[b"FLAGS"]) >= {rb"\Seen", b"$Later"}
            assert copied[b"INTERNALDATE"] == moment
        client.close_folder()
        client.rename_folder("Arbeit/Büro", "Arbeit/Küche")
        assert "Arbeit/Küche" in [name for _, _, name in client.list_folders()]
        client.delete_folder("Arbeit/Küche")


def test_special_folders_and_namespaces_are_told(server: Server) -> None:
    with connected(server) as client:
        for use, name in (
            (rb"\Sent", "Sent"),
            (rb"\Trash", "Trash"),
            (rb"\Junk", "Junk"),
            (rb"\Drafts", "Drafts"),
        ):
            assert client.find_special_folder(use) == name
        assert client.has_capability("NAMESPACE")
        assert client.namespace().personal[0] == ("", "/")
        assert client.id_({"name": "IMAPClient"})


def test_a_client_learns_what_changed_since_it_was_away(server: Server) -> None:
    deliver(server, *(message(f"change {number}") for number in range(3)))
    with connected(server) as client, connected(server) as other:
        assert client.has_capability("CONDSTORE")
        before = client.select_folder("INBOX")[b"HIGHESTMODSEQ"]
        other.select_folder("INBOX")
        first, second, _ = uids = other.search()
        other.add_flags([second], [rb"\Answered"])
        changed = client.fetch(uids, ["FLAGS"], [f"CHANGEDSINCE {before}"])
        assert set(changed) == {second}
        assert client.search(["MODSEQ", str(before + 1)]) == [second]
        assert changed[second][b"MODSEQ"][0] > before
        other.add_flags([first], [rb"\Flagged"])
        status = client.folder_status("INBOX", ["HIGHESTMODSEQ", "MESSAGES", "UNSEEN"])
        assert status[b"HIGHESTMODSEQ"] > changed[second][b"MODSEQ"][0]
        assert (status[b"MESSAGES"], status[b"UNSEEN"]) == (3, 3)


def test_imaplib_appends_a_large_message_reads_a_part_of_it_and_subscribes(server: Server) -> None:
    big = message("large", ("0123456789" * 7 + "\r\n") * 20_000)
    with open_imap(server, ANN) as client:
        assert client.append("INBOX", None, None, big)[0] == "OK"
        client.select()
        _, parts = client.fetch("1", "(BODY.PEEK[])")
        assert isinstance(parts[0], tuple)
        assert parts[0][1] == big
        _, pieces = client.fetch("1", "(BODY.PEEK[]<700000.1000>)")
        assert isinstance(pieces[0], tuple)
        assert pieces[0][1] == big[700_000:701_000]
        assert client.create("List")[0] == "OK"
        assert client.subscribe("List")[0] == "OK"
        assert any(line is not None and b"List" in bytes(line) for line in client.lsub()[1])
        assert client.unselect()[0] == "OK"


def test_ids_dates_and_first_words_are_read(server: Server) -> None:
    deliver(server, message("ids", "Read me first,\r\nplease."))
    with connected(server) as client:
        selected = client.select_folder("INBOX")
        assert selected[b"EXISTS"] == 1
        [uid] = client.search()
        found = client.fetch([uid], ["EMAILID", "THREADID", "SAVEDATE", "PREVIEW"])[uid]
        assert found[b"PREVIEW"] == b"Read me first, please."
        assert found[b"THREADID"] is None
        [email_id] = found[b"EMAILID"]
        assert client.search(["EMAILID", email_id]) == [uid]
        day = datetime.strptime(found[b"SAVEDATE"].decode()[:11].strip(), "%d-%b-%Y").replace(tzinfo=UTC)
        assert client.search(["SAVEDON", day.date()]) == [uid]
        client.copy([uid], "Archive")
        inbox, archive = (client.folder_status(name, ["MAILBOXID"]) for name in ("INBOX", "Archive"))
        assert inbox[b"MAILBOXID"] != archive[b"MAILBOXID"]
        client.select_folder("Archive", readonly=True)
        newest = client.search()[-1]
        assert client.fetch([newest], ["EMAILID"])[newest][b"EMAILID"] == (email_id,)


def test_messages_are_sorted_and_threaded(server: Server) -> None:
    deliver(server, message("b"), message("Re: b", "Longer than the other."), message("ä"))
    with connected(server) as client:
        client.select_folder("INBOX")
        first, reply, last = client.search()
        assert client.sort("REVERSE SIZE")[0] == reply
        assert client.sort(["SUBJECT", "REVERSE ARRIVAL"]) in ([last, first, reply], [last, reply, first])
        assert client.sort("SUBJECT", ["SUBJECT", "ä"]) == [last]
        assert client.thread("REFERENCES") in (((first, reply), (last,)), ((last,), (first, reply)))
        assert client.thread("ORDEREDSUBJECT", ["SUBJECT", "b"]) == ((first, reply),)


def test_many_messages_are_appended_at_once_after_starttls_and_enable(server: Server) -> None:
    client = IMAPClient("127.0.0.1", server.ports["imap"], ssl=False, timeout=WAIT_SECONDS)
    with client:
        client.starttls(trusting_context())
        client.plain_login(BOB, PASSWORD)
        assert client.enable("CONDSTORE", "UNKNOWN") == [b"CONDSTORE"]
        client.multiappend("INBOX", [message("one"), {"msg": message("two"), "flags": [rb"\Seen"]}])
        selected = client.select_folder("INBOX")
        assert selected[b"EXISTS"] == 2
        assert client.search("SEEN") == client.search(["SUBJECT", "two"])
        client.add_flags(client.search(), [rb"\Flagged"], silent=True)
        assert client.folder_status("INBOX", ["HIGHESTMODSEQ"])[b"HIGHESTMODSEQ"] > selected[b"HIGHESTMODSEQ"]
        client.unselect_folder()
