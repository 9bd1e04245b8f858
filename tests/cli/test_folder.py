"""`freehold folder`."""

import pytest

from tests.cli.command_line import CommandLine

ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def shared(hosted: CommandLine) -> CommandLine:
    """A host with ann and bob."""
    for address in (ANN, BOB):
        hosted.run("mailbox", "add", address, "--password-stdin", typed="correct horse\n")
    return hosted


def test_a_folder_is_shared_and_no_longer(shared: CommandLine) -> None:
    assert "nothing is shared" in shared.run("folder", "shares", ANN)
    assert f"{BOB} has the rights lrs on inbox" in shared.run("folder", "share", ANN, "inbox", BOB, "lrs")
    shared.run("folder", "share", ANN, "Sent", "anyone", "lrd")
    shared.run("folder", "share", ANN, "Sent", f"-{BOB}", "r")
    assert shared.json("folder", "shares", ANN) == [
        {"folder": "INBOX", "identifier": BOB, "rights": "lrs"},
        {"folder": "Sent", "identifier": f"-{BOB}", "rights": "r"},
        {"folder": "Sent", "identifier": "anyone", "rights": "lrted"},
    ]
    assert shared.json("folder", "unshare", ANN, "Sent", f"-{BOB}") == {
        "folder": "Sent",
        "identifier": f"-{BOB}",
        "rights": "",
    }
    shared.run("folder", "unshare", ANN, "Sent", "anyone")
    shared.run("folder", "share", ANN, "INBOX", BOB, "")
    assert shared.json("folder", "shares", ANN) == []


def test_what_is_not_there_is_refused(shared: CommandLine) -> None:
    assert "does not exist" in shared.refused("folder", "share", "cy@example.org", "INBOX", BOB, "lr")
    assert "no such folder" in shared.refused("folder", "share", ANN, "none", BOB, "lr")
    assert "no such person" in shared.refused("folder", "share", ANN, "INBOX", "cy@example.org", "lr")
    assert "unknown right" in shared.refused("folder", "share", ANN, "INBOX", BOB, "lQ")
