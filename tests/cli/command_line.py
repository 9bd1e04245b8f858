"""Runs `freehold` as a person would type it, and reads what it says."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from freehold.cli.main import cli


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command on one data folder."""

    data: Path

    def invoke(self, *words: str, typed: str = "") -> Result:
        """Run it; returns exit code and output of any kind."""
        return CliRunner().invoke(cli, ["--data", str(self.data), *words], input=typed)

    def run(self, *words: str, typed: str = "") -> str:
        """Run it; it must succeed. Returns its output."""
        result = self.invoke(*words, typed=typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str, typed: str = "") -> Any:
        """Run it with `--json`; it must succeed. Returns the document."""
        return json.loads(self.run(*words, "--json", typed=typed))

    def refused(self, *words: str, typed: str = "") -> str:
        """Run it; it must be refused. Returns what it says on stderr."""
        result = self.invoke(*words, typed=typed)
        assert result.exit_code == 1, result.output
        return result.stderr
