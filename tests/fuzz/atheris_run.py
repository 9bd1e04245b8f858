"""How a target is run by atheris, which is installed by hand where somebody fuzzes."""

import importlib
import sys
from collections.abc import Callable


def fuzz(check: Callable[[bytes], object], arguments: list[str] | None = None) -> None:
    """Fuzz until stopped, with the arguments of the command line if no others are given."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    atheris.Setup(arguments or sys.argv, check)
    atheris.Fuzz()
