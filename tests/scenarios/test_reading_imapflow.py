"""imapflow does a day's work: both revisions, compressed, resynchronized, waiting for mail."""

import base64
from collections.abc import Iterator

import pytest

from tests.scenarios.clients import BOB, below_trace, deliver, message, open_imap, read_all, subjects
from tests.scenarios.imapflow_client import imapflow
from tests.scenarios.server import Server, running_server

pytestmark = pytest.mark.scenario

PICTURE = bytes(range(256)) * 300
WITH_PICTURE = (
    b"From: ann@example.test\r\nTo: bob@example.test\r\nSubject: =?utf-8?q?K=C3=A4se?=\r\n"
    b"Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <picture@client.example.test>\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="limit"\r\n\r\n'
    b"--limit\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    b"\r\nGr=C3=BC=C3=9Fe\r\n"
    b"--limit\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''K%C3%A4se.png\r\n\r\n"
    + base64.encodebytes(PICTURE).replace(b"\n", b"\r\n")
    + b"--limit--\r\n"
)
UID = {"uid": True}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on which Bob may hold 10 MiB, for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        server.run("mailbox", "quota", BOB, "10MiB")
        yield server


def test_imapflow_gets_what_the_server_offers(server: Server) -> None:
    with imapflow(server) as client:
        session = client.call("session")
        assert set(session["enabled"]) == {"CONDSTORE", "IMAP4REV2", "UTF8=ACCEPT"}
        assert session["compressed"]
        assert session["server"] == {"name": "Freehold"}
    with imapflow(server, secure=False, disableIMAP4rev2=True, disableCompression=True) as client:
        session = client.call("session")
        assert set(session["enabled"]) == {"CONDSTORE", "UTF8=ACCEPT"}
        assert session["secure"]
        assert not session["compressed"]


def test_imapflow_lists_and_keeps_folders(server: Server) -> None:
    deliver(server, message("one"), message("two"))
    with imapflow(server) as client:
        query = {"messages": True, "unseen": True, "uidNext": True, "highestModseq": True, "size": True}
        listed = {each["path"]: each for each in client.call("list", {"statusQuery": query})}
        assert listed["Sent"]["specialUse"] == "\\Sent"
        assert listed["INBOX"]["subscribed"]
        status = listed["INBOX"]["status"]
        assert (status["messages"], status["unseen"]) == (2, 2)
        assert status["size"] == sum(map(len, read_all(server)))
        assert client.call("mailboxCreate", ["Arbeit", "Büro & mehr"])["created"]
        assert not client.call("mailboxCreate", "Arbeit/Büro & mehr")["created"]
        client.call("mailboxRename", "Arbeit/Büro & mehr", "Arbeit/Küche")
        client.call("mailboxUnsubscribe", "Arbeit/Küche")
        listed = {each["path"]: each for each in client.call("list")}
        assert "subscribed" not in listed["Arbeit/Küche"]
        assert client.refused("mailboxOpen", "Arbeit/Büro & mehr") == "NONEXISTENT"
        client.call("mailboxDelete", "Arbeit/Küche")
        quota = client.call("getQuota", "INBOX")
        assert quota["storage"]["limit"] == 10 << 20


@pytest.mark.parametrize("without_binary", [False, True])
def test_imapflow_downloads_an_attachment(server: Server, without_binary: bool) -> None:
    with imapflow(server, disableBinary=without_binary) as client:
        client.call("mailboxOpen", "INBOX")
        moment = "2020-02-29T12:30:45.000Z"
        given = WITH_PICTURE.decode("latin1")
        appended = client.call("appendOctets", "INBOX", given, ["\\Seen", "$Later"], moment)
        uid = str(appended["uid"])
        wanted = {
            "envelope": True,
            "bodyStructure": True,
            "flags": True,
            "internalDate": True,
            "source": True,
        }
        found = client.call("fetchOne", uid, wanted, UID)
        assert found["envelope"]["subject"] == "Käse"
        assert found["internalDate"] == moment
        assert set(found["flags"]) >= {"\\Seen", "$Later"}
        assert found["source"].encode("latin1") == WITH_PICTURE
        text, picture = found["bodyStructure"]["childNodes"]
        assert (text["part"], picture["part"]) == ("1", "2")
        assert picture["dispositionParameters"] == {"filename": "Käse.png"}
        downloaded = client.call("download", uid, "2", UID)
        assert downloaded["meta"]["contentType"] == "image/png"
        assert downloaded["meta"]["filename"] == "Käse.png"
        assert downloaded["content"].encode("latin1") == PICTURE
        assert client.call("download", uid, "1", UID)["content"].encode("latin1").decode() == "Grüße"


def test_imapflow_searches_flags_copies_moves_and_deletes(server: Server) -> None:
    deliver(server, *(message(f"flow {number}", f"Text of {number}") for number in range(1, 7)))
    with imapflow(server) as client:
        assert client.call("mailboxOpen", "INBOX")["exists"] == 6
        first, *rest = client.call("search", {"all": True}, UID)
        assert len(rest) == 5
        assert client.call("search", {"subject": "flow", "body": "Text of 3"}, UID) == [rest[1]]
        assert client.call("search", {"or": [{"subject": "1"}, {"subject": "2"}]}, UID) == [first, rest[0]]
        assert client.call("messageFlagsAdd", [first], ["\\Flagged", "$Forwarded"], UID)
        assert client.call("search", {"flagged": True, "keyword": "$Forwarded"}, UID) == [first]
        assert client.call("messageFlagsRemove", [first], ["$Forwarded"], UID)
        assert client.call("messageFlagsSet", {"subject": "flow 2"}, ["\\Answered"])
        assert client.call("search", {"answered": True}, UID) == [rest[0]]
        copied = client.call("messageCopy", [first], "Archive", UID)
        moved = client.call("messageMove", rest[:2], "Archive", UID)
        assert list(copied["uidMap"]) == [str(first)]
        assert list(moved["uidMap"]) == [str(each) for each in rest[:2]]
        assert client.call("messageCopy", [first], "Nowhere", UID) is False
        assert client.call("messageDelete", [rest[-1]], UID)
        assert client.call("search", {"all": True}, UID) == [first, *rest[2:-1]]
    assert subjects(read_all(server)) == ["flow 1", "flow 4", "flow 5"]
    assert subjects(read_all(server, folder="Archive")) == ["flow 1", "flow 2", "flow 3"]


def test_imapflow_is_told_of_mail_flags_and_removals_while_it_idles(server: Server) -> None:
    deliver(server, message("here before"))
    with imapflow(server) as client:
        client.call("mailboxOpen", "INBOX")
        client.begin("idle")
        deliver(server, message("pushed", "It came by itself."))
        told = client.event("exists")
        assert (told["count"], told["prevCount"]) == (2, 1)
        with open_imap(server) as other:
            other.select()
            other.store("2", "+FLAGS", r"\Flagged")
            assert "\\Flagged" in client.event("flags")["flags"]
            other.store("1", "+FLAGS", r"\Deleted")
            other.expunge()
            assert client.event("expunge")["seq"] == 1
        found = client.call("fetchOne", "*", {"source": True})
        assert below_trace(found["source"].encode("latin1")) == message("pushed", "It came by itself.")


def test_imapflow_learns_what_happened_while_it_was_away(server: Server) -> None:
    deliver(server, *(message(f"away {number}") for number in range(1, 5)))
    with imapflow(server, qresync=True) as client:
        before = client.call("mailboxOpen", "INBOX")
    with open_imap(server) as other:
        other.select()
        other.store("1", "+FLAGS", r"\Answered")
        other.store("3", "+FLAGS", r"\Deleted")
        other.expunge()
    with imapflow(server, qresync=True) as client:
        known = {"changedSince": before["highestModseq"], "uidValidity": before["uidValidity"]}
        after = client.call("mailboxOpen", "INBOX", known)
        assert after["exists"] == 3
        assert after["highestModseq"] > before["highestModseq"]
        gone = client.event("expunge")
        assert (gone["uid"], gone["vanished"], gone["earlier"]) == (before["uidNext"] - 2, True, True)
        assert client.event("flags")["uid"] == before["uidNext"] - 4
        changes = client.call("fetchAll", "1:*", {"flags": True}, {"changedSince": known["changedSince"]})
        assert [each["uid"] for each in changes] == [before["uidNext"] - 4]
