"""`freehold app-password`."""

import re

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def with_ann(hosted: CommandLine) -> CommandLine:
    hosted.run(
        "mailbox", "add", "ann@example.org", "--login", "ann", "--password-stdin", typed="correct horse\n"
    )
    return hosted


def test_a_secret_is_shown_once_and_only_its_label_is_listed(with_ann: CommandLine) -> None:
    said = with_ann.run(
        "app-password", "add", "ann", "--label", "Phone", "--use", "imap", "--use", "submission"
    )
    found = re.search(r"[a-z2-9]{4}(-[a-z2-9]{4}){5}-[a-z2-9]{2}", said)
    assert found is not None
    listed = with_ann.run("app-password", "list", "ann@example.org")
    assert "Phone" in listed
    assert found[0] not in listed


def test_it_expires_after_the_given_time(with_ann: CommandLine) -> None:
    added = with_ann.json(
        "app-password", "add", "ann", "--label", "Phone", "--use", "dav", "--expires", "90d"
    )
    [listed] = with_ann.json("app-password", "list", "ann")
    assert listed["expires"] == added["expires"]
    assert (listed["uses"], listed["last_used"]) == (["dav"], None)


def test_it_is_revoked_by_its_number(with_ann: CommandLine) -> None:
    added = with_ann.json("app-password", "add", "ann", "--label", "Phone", "--use", "imap")
    assert "--yes" in with_ann.refused("app-password", "revoke", "ann", str(added["number"]))
    with_ann.run("app-password", "revoke", "ann", str(added["number"]), "--yes")
    assert with_ann.json("app-password", "list", "ann") == []
    assert "no app password" in with_ann.refused("app-password", "revoke", "ann", "99", "--yes")


def test_wrong_words_are_wrong_use(with_ann: CommandLine) -> None:
    assert with_ann.invoke("app-password", "add", "ann", "--label", "x", "--use", "smtp").exit_code == 2
    assert with_ann.invoke("app-password", "add", "ann", "--label", "x").exit_code == 2
    assert "does not exist" in with_ann.refused("app-password", "list", "bob")
