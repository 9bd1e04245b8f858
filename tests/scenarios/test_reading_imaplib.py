"""imaplib, which says what it is told and shows what comes back: each of its commands, and IDLE by hand."""

import imaplib
from collections.abc import Iterator

import pytest

from tests.scenarios.clients import ANN, BOB, PASSWORD, RUN_SECONDS, deliver, message, open_imap
from tests.scenarios.server import Server, running_server, trusting_context

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on which Bob may hold 1 MiB, for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        server.run("mailbox", "quota", BOB, "1MiB")
        yield server


def test_imaplib_signs_in_over_starttls_and_enables_utf8(server: Server) -> None:
    with imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=RUN_SECONDS) as client:
        assert client.starttls(trusting_context())[0] == "OK"
        assert "AUTH=PLAIN" in client.capabilities
        client.authenticate("PLAIN", lambda _: f"\0{BOB}\0{PASSWORD}".encode())
        assert client.enable("UTF8=ACCEPT")[0] == "OK"
        assert client.utf8_enabled
        assert client.create('"Käse"')[0] == "OK"
        with open_imap(server) as other:  # with UTF-8 enabled, imaplib puts the word UTF8 into the message
            assert other.append("K&AOQ-se", "", "", message("Grüße"))[0] == "OK"
        assert client.select('"Käse"')[1] == [b"1"]
        assert client.search(None, "SUBJECT", '"Grüße"')[1] == [b"1"]
        _, parts = client.fetch("1", "(BODY[])")
        assert isinstance(parts[0], tuple)
        assert parts[0][1] == message("Grüße")
        assert client.close()[0] == "OK"
        assert client.delete('"Käse"')[0] == "OK"


def test_imaplib_is_refused_with_a_wrong_password(server: Server) -> None:
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        open_imap(server, password="rimi-tase-kuvo")


def test_imaplib_selects_fetches_stores_searches_and_expunges(server: Server) -> None:
    deliver(server, message("one"), message("two"))
    with open_imap(server) as client:
        assert client.select() == ("OK", [b"2"])
        (validity,) = client.response("UIDVALIDITY")[1]
        moment = imaplib.Time2Internaldate(1_582_979_445)
        assert client.append("INBOX", r"(\Seen $Later)", moment, message("three"))[0] == "OK"
        ((appended_validity, uid),) = [line.split() for line in client.response("APPENDUID")[1] if line]
        assert appended_validity == validity
        (line,) = client.fetch("3", "(UID FLAGS INTERNALDATE RFC822.SIZE)")[1]
        assert isinstance(line, bytes)
        assert line.startswith(b"3 (UID %b FLAGS (\\Seen " % uid)
        assert imaplib.Internaldate2tuple(line) == imaplib.Internaldate2tuple(
            f"INTERNALDATE {moment}".encode()
        )
        assert line.endswith(b"RFC822.SIZE %d)" % len(message("three")))
        (line,) = client.fetch("3", "(ENVELOPE BODYSTRUCTURE)")[1]
        address = b'((NIL NIL "ann" "example.test"))'
        assert line == (
            b'3 (ENVELOPE ("Fri, 20 Nov 2026 12:00:00 +0000" "three" %b %b %b '
            % (address, address, address)
            + b'((NIL NIL "bob" "example.test")) NIL NIL NIL "<three@client.example.test>") '
            b'BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 1 NIL NIL NIL NIL))'
        )
        assert client.store("1:2", "+FLAGS", r"(\Flagged)")[0] == "OK"
        assert client.store("2", "-FLAGS.SILENT", r"(\Flagged)")[0] == "OK"
        assert client.search(None, "FLAGGED") == ("OK", [b"1"])
        assert client.search("UTF-8", "NOT", "FLAGGED", "SUBJECT", '"t"') == ("OK", [b"2 3"])
        assert client.uid("SEARCH", "KEYWORD $Later") == ("OK", [uid])
        assert client.uid("STORE", uid.decode(), "FLAGS", r"(\Deleted)")[0] == "OK"
        assert client.expunge() == ("OK", [b"3"])
        assert client.search(None, "ALL") == ("OK", [b"1 2"])
        assert client.search(None, "SINCE", "1-Jan-2100") == ("OK", [b""])
        with pytest.raises(imaplib.IMAP4.error, match="BAD"):
            client.search(None, "WITHOUT", "SENSE")


def test_imaplib_copies_and_moves_by_uid(server: Server) -> None:
    deliver(server, message("one"), message("two"))
    with open_imap(server) as client:
        client.select()
        first, second = client.uid("SEARCH", "ALL")[1][0].split()
        assert client.uid("COPY", first.decode(), "Archive")[0] == "OK"
        (copied,) = client.response("COPYUID")[1]
        assert copied is not None
        assert copied.split()[1] == first
        assert client.uid("MOVE", second.decode(), "Archive")[0] == "OK"
        assert client.response("EXPUNGE") == ("EXPUNGE", [b"2"])
        assert client.copy("1", "Nowhere") == ("NO", [b"[TRYCREATE] no such folder"])
        assert client.select("Archive", readonly=True) == ("OK", [b"2"])
        assert client.store("1", "+FLAGS", r"\Seen")[0] == "NO"


def test_imaplib_sorts_and_threads(server: Server) -> None:
    deliver(server, message("b"), message("Re: b"), message("a", "A longer text."))
    with open_imap(server) as client:
        client.select()
        uids = client.uid("SEARCH", "ALL")[1][0].split()
        assert client.sort("(SUBJECT)", "UTF-8", "ALL") == ("OK", [b"3 1 2"])
        assert client.sort("(REVERSE SIZE SUBJECT)", "UTF-8", "SUBJECT b") == ("OK", [b"2 1"])
        assert client.uid("SORT", "(REVERSE ARRIVAL)", "UTF-8", "ALL")[1][0].split()[-1] in uids
        assert client.thread("ORDEREDSUBJECT", "UTF-8", "ALL") == ("OK", [b"(1 2)(3)"])
        threaded = b"(%b %b)(%b)" % tuple(uids)
        assert client.uid("THREAD", "REFERENCES", "UTF-8", "ALL") == ("OK", [threaded])


def test_imaplib_keeps_folders_lists_of_rights_and_sees_the_quota(server: Server) -> None:
    with open_imap(server) as client:
        assert client.namespace() == ("OK", [b'(("" "/")) (("Other Users/" "/")) NIL'])
        assert client.create("Work/Plan")[0] == "OK"
        assert client.rename("Work/Plan", "Work/Done")[0] == "OK"
        assert client.list('"Work/"', "%") == ("OK", [rb'(\HasNoChildren) "/" Work/Done'])
        assert client.subscribe("Work/Done")[0] == "OK"
        assert [line.split()[-1] for line in client.lsub('""', '"Work/*"')[1] if line] == [b"Work/Done"]
        assert client.unsubscribe("Work/Done")[0] == "OK"
        assert client.lsub('""', '"Work/*"') == ("OK", [None])
        assert client.status("Work/Done", "(MESSAGES UIDNEXT UNSEEN)")[1] == [
            b"Work/Done (MESSAGES 0 UIDNEXT 1 UNSEEN 0)"
        ]
        assert client.setacl("Work/Done", ANN, "lr")[0] == "OK"
        assert client.getacl("Work/Done")[1] == [f"Work/Done {BOB} lrswipkxteacd {ANN} lr".encode()]
        assert client.myrights("Work/Done")[1] == [b"Work/Done lrswipkxteacd"]
        assert client.deleteacl("Work/Done", ANN)[0] == "OK"
        roots, quotas = client.getquotaroot("Work/Done")[1]
        assert roots == [b'Work/Done "User quota"']
        assert quotas[0].endswith(b" 1024)")
        assert client.delete("Work/Done")[0] == "OK"
        assert client.xatom("ID", "NIL")[0] == "OK"


def test_imaplib_idles_by_hand(server: Server) -> None:
    with open_imap(server) as client:
        client.select()
        client.send(b"i1 IDLE\r\n")
        assert client.readline().startswith(b"+ ")
        deliver(server, message("pushed"))
        assert client.readline() == b"* 1 EXISTS\r\n"
        client.send(b"DONE\r\n")
        while not (line := client.readline()).startswith(b"i1 "):
            assert line.startswith((b"* OK", b"* 1 RECENT"))
        assert line.startswith(b"i1 OK")
        assert client.noop()[0] == "OK"
