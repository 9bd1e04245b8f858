"""The ports of IMAP's tests."""

from tests.modules.mail.imap.conftest import any_port, port

__all__ = ["any_port", "port"]
