"""What a server offers, read from its answer to EHLO, and what of our wishes it can be asked for."""

from dataclasses import dataclass, replace
from typing import Self

from freehold.errors import FreeholdError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.parameters import NO_RCPT_PARAMETERS, Body, MailParameters, RcptParameters
from freehold.protocols.smtp.reply import Reply

_MAX_SIZE_DIGITS = 20


class ExtensionMissingError(FreeholdError):
    """The message cannot be sent to this server as it is."""

    public = "the receiving server does not take internationalised mail (SMTPUTF8)"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Extensions that this package speaks; `max_message_bytes` is None when the server does not say."""

    extensions: frozenset[Extension] = frozenset()
    max_message_bytes: int | None = None
    auth_mechanisms: tuple[str, ...] = ()

    @classmethod
    def of_reply(cls, reply: Reply) -> Self:
        """Read the lines after the first of a positive answer to EHLO; unknown keywords are passed over."""
        extensions = set()
        max_message_bytes = None
        mechanisms: tuple[str, ...] = ()
        for line in reply.lines[1:]:
            keyword, *arguments = line.upper().split() or [""]
            extension = _EXTENSIONS.get(keyword)
            if extension is None:
                continue
            extensions.add(extension)
            if extension is Extension.SIZE:
                max_message_bytes = _size(arguments)
            elif extension is Extension.AUTH:
                mechanisms = tuple(arguments)
        return cls(frozenset(extensions), max_message_bytes, mechanisms)

    def offers(self, extension: Extension) -> bool:
        """Whether the server named the extension."""
        return extension in self.extensions

    def fit_mail_parameters(self, wanted: MailParameters) -> MailParameters:
        """Return the parameters without those that the server would not know.

        BODY is dropped too: a server without 8BITMIME gets the octets as they are, as is common.

        Raises:
            ExtensionMissingError: SMTPUTF8 is wanted and not offered.
        """
        if wanted.smtputf8 and not self.offers(Extension.SMTPUTF8):
            raise ExtensionMissingError
        has_dsn = self.offers(Extension.DSN)
        return replace(
            wanted,
            size=wanted.size if self.offers(Extension.SIZE) else None,
            body=wanted.body if self.offers(Extension.EIGHT_BIT_MIME) else Body.SEVEN_BIT,
            submitter=wanted.submitter if self.offers(Extension.AUTH) else None,
            ret=wanted.ret if has_dsn else None,
            envid=wanted.envid if has_dsn else None,
        )

    def fit_rcpt_parameters(self, wanted: RcptParameters) -> RcptParameters:
        """Return the parameters, or none when the server does not know DSN."""
        return wanted if self.offers(Extension.DSN) else NO_RCPT_PARAMETERS


_EXTENSIONS = {extension.value: extension for extension in Extension}


def _size(arguments: list[str]) -> int | None:
    if len(arguments) != 1 or not (arguments[0].isascii() and arguments[0].isdigit()):
        return None
    if len(arguments[0]) > _MAX_SIZE_DIGITS:
        return None
    return int(arguments[0]) or None
