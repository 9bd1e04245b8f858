"""`freehold owner`."""

from tests.cli.command_line import CommandLine


def test_an_owner_is_added_listed_and_shown(freehold: CommandLine) -> None:
    freehold.run("owner", "add", "Anna", "--max-domains", "2", "--max-storage", "10GiB")
    [listed] = freehold.json("owner", "list")
    assert (listed["name"], listed["administrator"], listed["max_domains"]) == ("anna", False, 2)
    freehold.run("domain", "add", "example.org", "--owner", "anna")
    shown = freehold.json("owner", "show", "ANNA")
    assert (shown["domains"], shown["mailboxes"], shown["max_storage"]) == (["example.org"], [], "10 GiB")


def test_the_limits_of_an_owner_hold(freehold: CommandLine) -> None:
    freehold.run("owner", "add", "anna", "--max-domains", "0")
    assert "may have 0 domains" in freehold.refused("domain", "add", "example.org", "--owner", "anna")


def test_the_storage_of_an_owner_is_set_and_taken_away(freehold: CommandLine) -> None:
    freehold.run("owner", "add", "anna")
    assert "10 GiB" in freehold.run("owner", "storage", "Anna", "10GiB")
    assert freehold.json("owner", "show", "anna")["max_storage"] == "10 GiB"
    freehold.run("owner", "storage", "anna", "none")
    assert freehold.json("owner", "show", "anna")["max_storage"] == "no limit"
    assert "see freehold owner list" in freehold.refused("owner", "storage", "nobody", "1GiB")


def test_an_owner_with_domains_is_not_removed(hosted: CommandLine) -> None:
    hosted.run("owner", "add", "anna")
    hosted.run("domain", "add", "example.net", "--owner", "anna")
    assert "still has domains" in hosted.refused("owner", "remove", "anna", "--yes")
    hosted.run("domain", "remove", "example.net", "--yes")
    assert hosted.json("owner", "remove", "anna", "--yes")["name"] == "anna"
    assert [owner["name"] for owner in hosted.json("owner", "list")] == ["admin"]


def test_an_unknown_owner_is_refused(hosted: CommandLine) -> None:
    assert "see freehold owner list" in hosted.refused("owner", "show", "nobody")
