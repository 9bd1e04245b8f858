"""Whatever people say, however damaged: sessions answer, in good form, and nothing fails inside."""

import pytest

from tests.fuzz import imap_sessions, pop3_sessions
from tests.fuzz.in_process import no_errors
from tests.mail_host import MailHost


@pytest.mark.parametrize("seed", range(2))
async def test_imap_sessions_answer_anything(any_host: MailHost, seed: int) -> None:
    with no_errors():
        await imap_sessions.converse(any_host, seed, 1000)


@pytest.mark.parametrize("seed", range(2))
async def test_pop3_sessions_answer_anything(host: MailHost, seed: int) -> None:
    with no_errors():
        await pop3_sessions.converse(host, seed, 1000)
