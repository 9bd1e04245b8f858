"""Fixtures of the queue's tests."""

import pytest

from freehold.modules.mail.queue.settings import QueueSettings
from tests.mail_host import MailHost
from tests.modules.mail.queue.post_office import PostOffice

QUICK = QueueSettings(connect_seconds=5.0, command_seconds=5.0, data_seconds=5.0, program_seconds=10.0)


@pytest.fixture
def office(host: MailHost) -> PostOffice:
    """A queue on SQLite."""
    return PostOffice(host, QUICK)


@pytest.fixture
def any_office(any_host: MailHost) -> PostOffice:
    """The same queue, once on each engine."""
    return PostOffice(any_host, QUICK)
