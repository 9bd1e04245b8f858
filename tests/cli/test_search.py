"""`freehold search`."""

from tests.cli.command_line import CommandLine
from tests.cli.test_mailbox import add


def test_the_state_of_each_mailbox_is_shown(hosted: CommandLine) -> None:
    add(hosted, "ann@example.org")
    add(hosted, "bob@example.org")
    facts = {"messages": 0, "behind": 0, "contents": 0, "segments": 0, "size_bytes": 0}
    ann, bob = ({"mailbox": address, **facts} for address in ("ann@example.org", "bob@example.org"))
    assert hosted.json("search", "status") == [ann, bob]
    assert hosted.json("search", "status", "--mailbox", "bob@example.org") == [bob]


def test_an_index_can_be_made_anew(hosted: CommandLine) -> None:
    add(hosted, "ann@example.org")
    assert "of 1 mailboxes" in hosted.run("search", "rebuild", "--mailbox", "ann@example.org")
    assert "does not exist" in hosted.refused("search", "rebuild", "--mailbox", "nobody@example.org")
