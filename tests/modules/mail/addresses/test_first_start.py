"""The first domain, owner and mailboxes."""

import re

from freehold.accounts.authenticate import Authenticator
from freehold.accounts.model import HOST_ADMINISTRATOR, Use
from freehold.accounts.owners import list_owners
from freehold.accounts.passwords import Passwords
from freehold.kernel.clock import SystemClock
from freehold.modules.mail.addresses.first_start import make_first_mailboxes, readable_password
from freehold.modules.mail.addresses.mailboxes import list_mailboxes
from freehold.storage.database import Database
from tests.accounts.people import CHEAP


async def test_it_makes_two_mailboxes_whose_passwords_work_and_does_so_once(database: Database) -> None:
    authenticator = Authenticator(database, SystemClock(), Passwords(CHEAP), b"k" * 32)
    passwords = Passwords(CHEAP)
    made = await make_first_mailboxes(database, passwords, now_ms=1)
    assert [mailbox.address for mailbox in made] == ["ann@example.test", "bob@example.test"]
    for mailbox in made:
        identity = await authenticator.authenticate(
            login=mailbox.address, password=mailbox.password, use=Use.SUBMISSION
        )
        assert identity.is_administrator
    assert await make_first_mailboxes(database, passwords, now_ms=2) == ()
    assert len(await database.read(list_mailboxes, HOST_ADMINISTRATOR)) == 2
    assert [owner.name for owner in await database.read(list_owners, HOST_ADMINISTRATOR)] == ["admin"]
    passwords.close()
    await authenticator.close()


def test_a_password_can_be_read_out() -> None:
    assert re.fullmatch(r"(?:[a-z]{4}-){4}[a-z]{4}", readable_password())
    assert readable_password() != readable_password()
