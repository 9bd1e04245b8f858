"""The ports of IMAP's tests; the index is asked in small folders, too."""

import pytest

from freehold.modules.mail.imap.search import matches as search_matches
from tests.modules.mail.imap.conftest import any_port, port

__all__ = ["any_port", "port"]


@pytest.fixture(autouse=True)
def always_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no folder be too small for the index."""
    monkeypatch.setattr(search_matches, "FEW_MESSAGES", 0)
