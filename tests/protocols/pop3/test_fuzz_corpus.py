"""Replays the inputs that the fuzzer starts from or once failed on."""

from pathlib import Path

import pytest

from tests.fuzz.fuzz_pop3 import check

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus" / "pop3").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_an_input_of_the_corpus_passes(path: Path) -> None:
    check(path.read_bytes())
