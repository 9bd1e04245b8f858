"""Fuzzes what a property test checks, guided by coverage: any test of hypothesis is a target.

Run by hand, with atheris installed:
`python -m tests.fuzz.fuzz_properties MODULE TEST [ARGUMENTS OF LIBFUZZER]`.
"""

import importlib
import sys

from tests.fuzz.atheris_run import fuzz


def main() -> None:
    """Fuzz until stopped."""
    module, test, *arguments = sys.argv[1:]
    target = getattr(importlib.import_module(module), test)
    fuzz(target.hypothesis.fuzz_one_input, [sys.argv[0], *arguments])


if __name__ == "__main__":
    main()
