"""Fuzzes what a property test checks, guided by coverage: any test of hypothesis is a target.

Run by hand, with atheris installed:
`python -m tests.fuzz.fuzz_properties MODULE TEST [ARGUMENTS OF LIBFUZZER]`.
"""

import importlib
import sys


def main() -> None:
    """Fuzz until stopped."""
    module, test, *arguments = sys.argv[1:]
    atheris = importlib.import_module("atheris")
    target = getattr(importlib.import_module(module), test)
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], *arguments], target.hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
