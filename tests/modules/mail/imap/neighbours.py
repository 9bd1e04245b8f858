"""People of two owners: ann and bob are one owner's, zoe is another's."""

from freehold.accounts.domains import add_domain
from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.accounts.owners import add_owner
from freehold.modules.mail.addresses.mailboxes import NewMailbox, add_mailbox
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.imap.client import ImapTalk

ANN, BOB, CY, ZOE = b"ann@example.test", b"bob@example.test", b"cy@example.test", b"zoe@zoe.test"
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


async def add_neighbours(host: MailHost) -> None:
    """Add cy, of ann's owner, and zoe with an owner of her own."""
    database = host.runtime.database
    credentials = await host.passwords.make(PASSWORD)
    await database.write(add_owner, HOST_ADMINISTRATOR, "zoe", now_ms=1)
    await database.write(add_domain, HOST_ADMINISTRATOR, "zoe.test", owner="zoe", now_ms=1)
    for address in (CY, ZOE):
        new = NewMailbox(address.decode(), credentials)
        await database.write(add_mailbox, HOST_ADMINISTRATOR, new, now_ms=1)


def of(person: bytes, folder: bytes) -> bytes:
    """Return the name by which others know a person's folder, quoted."""
    return b'"Other Users/' + person + b"/" + folder + b'"'


async def share(owner: ImapTalk, folder: bytes, identifier: bytes, rights: bytes) -> None:
    """Give rights; the folder is made if need be."""
    await owner.ask(b"CREATE " + folder)
    await owner.done(b"SETACL " + folder + b" " + identifier + b' "' + rights + b'"')
