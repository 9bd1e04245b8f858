"""A data folder, and the command line run on it within the test's process."""

from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def freehold(tmp_path: Path) -> CommandLine:
    """The command on a new data folder."""
    data = tmp_path / "data"
    data.mkdir()
    return CommandLine(data)


@pytest.fixture
def hosted(freehold: CommandLine) -> CommandLine:
    """The command with an administrator and the domain example.org."""
    freehold.run("owner", "add", "admin", "--administrator")
    freehold.run("domain", "add", "example.org")
    return freehold
