"""AUTH on the submission ports: from an exchange to a mailbox that mail is sent from (RFC 4954)."""

from ipaddress import IPv4Address, IPv6Address

from freehold.accounts.errors import LoginFailedError
from freehold.accounts.model import Use
from freehold.modules.mail.sasl_login import SaslLogin
from freehold.modules.mail.smtp.envelope import Submitter
from freehold.modules.mail.smtp.service import SmtpService
from freehold.storage.database import Transaction


class LoginExchange:
    """One AUTH command and the challenges that follow."""

    __slots__ = ("_sasl", "_service")

    def __init__(self, service: SmtpService, client: IPv4Address | IPv6Address, mechanism: str) -> None:
        self._service = service
        self._sasl = SaslLogin(service.authenticator, Use.SUBMISSION, mechanism, client)

    async def step(self, response: bytes | None) -> bytes | Submitter:
        """Take a response (None: the command brought none); returns a challenge, or who has logged in.

        Raises:
            LoginFailedError: the credentials are wrong, or belong to nobody with a mailbox.
            LoginsBusyError: too many logins at the moment, or this client guesses.
        """
        answer = await self._sasl.step(response or b"")
        if isinstance(answer, bytes):
            return answer
        mailbox_id = await self._service.runtime.database.read(_mailbox_of, answer.login_id)
        if mailbox_id is None:
            raise LoginFailedError
        return Submitter(answer.login, mailbox_id)


async def _mailbox_of(tx: Transaction, login_id: int) -> int | None:
    row = await tx.fetch_one("SELECT id FROM mailbox WHERE login_id = ? AND NOT is_disabled", login_id)
    return None if row is None else int(row[0])
