"""Every message that once was interesting to the fuzzer is read without complaint."""

from pathlib import Path

import pytest

from tests.fuzz.fuzz_mime import check_message

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus" / "mime").glob("*.eml"))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_message_of_the_corpus_is_read(path: Path) -> None:
    check_message(path.read_bytes())


def test_corpus_is_there() -> None:
    assert len(CORPUS) >= 9
