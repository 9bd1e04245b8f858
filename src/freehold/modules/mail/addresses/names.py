"""Mail addresses as they are looked up and stored: lower case, NFC, domains in A-labels."""

import unicodedata

from freehold.accounts.domain_names import to_ascii
from freehold.modules.mail.addresses.model import MailAddress
from freehold.protocols.smtp.address import EmailAddress, InvalidAddressError
from freehold.protocols.smtp.domain import InvalidDomainError
from freehold.protocols.smtp.domain import to_ascii as encode_labels

CATCH_ALL = ""
"""The local part of a domain's catch-all, written `@domain`."""


def to_mail_address(local: str, domain: str) -> MailAddress:
    """Return a parsed address in the form that is looked up. Never fails.

    A U-label that cannot be encoded stays, and then names no domain of ours.
    """
    if local.isascii():
        folded = local.lower()
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
    return MailAddress(folded, domain.lower() if domain.isascii() else _ascii_domain(domain))


def parse_mail_address(text: str) -> MailAddress:
    """Return an address that somebody typed, in the form that is looked up.

    Raises:
        InvalidAddressError: it is no `local@domain`.
        InvalidDomainNameError: its domain is not a full domain name.
    """
    parsed = _parsed(text)
    return to_mail_address(parsed.local, to_ascii(parsed.domain))


def parse_alias_address(text: str) -> MailAddress:
    """Return an address or a catch-all (`@domain`) that somebody typed.

    Raises:
        InvalidAddressError: it is neither.
        InvalidDomainNameError: its domain is not a full domain name.
    """
    typed = text.strip()
    if typed.startswith("@"):
        return MailAddress(CATCH_ALL, to_ascii(typed[1:]))
    return parse_mail_address(typed)


def parse_elsewhere(text: str) -> str:
    """Return a destination address with its local part as typed: elsewhere letter case may matter.

    Raises:
        InvalidAddressError: it is no `local@domain`.
        InvalidDomainNameError: its domain is not a full domain name.
    """
    parsed = _parsed(text)
    return str(EmailAddress(parsed.local, to_ascii(parsed.domain)))


def _parsed(text: str) -> EmailAddress:
    typed = text.strip()
    try:
        return EmailAddress.parse(typed, utf8=True)
    except InvalidAddressError:
        raise InvalidAddressError(f"{typed[:80]!r} is not a mail address such as ann@example.org") from None


def _ascii_domain(domain: str) -> str:
    try:
        return encode_labels(unicodedata.normalize("NFC", domain.lower()))
    except InvalidDomainError:
        return domain
