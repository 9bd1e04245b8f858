"""A port on which POP3 is spoken in plain text, which loopback clients may."""

from collections.abc import AsyncIterator

import pytest

from tests.mail_host import MailHost
from tests.modules.mail.pop3.client import serving


@pytest.fixture
async def port(host: MailHost) -> AsyncIterator[int]:
    """The port of a host on SQLite."""
    async with serving(host) as opened:
        yield opened


@pytest.fixture
async def any_port(any_host: MailHost) -> AsyncIterator[int]:
    """The port of a host, once on each engine."""
    async with serving(any_host) as opened:
        yield opened
