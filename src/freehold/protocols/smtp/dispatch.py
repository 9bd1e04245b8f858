"""From a command line to an event, given where the dialogue stands."""

from collections.abc import Callable
from dataclasses import dataclass

from freehold.protocols.smtp import answers
from freehold.protocols.smtp.content import MESSAGE_TOO_LARGE
from freehold.protocols.smtp.errors import CommandError
from freehold.protocols.smtp.events import Answered, DataStarted, Event, Quit, Reset, StartTls
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.grammar import (
    Command,
    parse_auth,
    parse_hello,
    parse_mail,
    parse_rcpt,
)
from freehold.protocols.smtp.options import ServerOptions, offered_extensions
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.states import COMMANDS, STATELESS_COMMANDS, TRANSITIONS, State


@dataclass(slots=True)
class Dialogue:
    """What a server connection remembers of the dialogue so far."""

    options: ServerOptions
    state: State = State.GREETING
    extended: bool = False
    authenticated: bool = False
    offered: frozenset[Extension] = frozenset()
    """Extensions that the client has been told of."""
    utf8: bool = False
    """MAIL carried SMTPUTF8."""
    recipients: int = 0
    """RCPT commands accepted in this transaction."""

    def introduce(self, *, extended: bool) -> None:
        """Note an accepted HELO, EHLO or LHLO."""
        self.end_transaction()
        self.extended = extended
        self.offered = offered_extensions(self.options) if extended else frozenset()

    def end_transaction(self) -> None:
        """Forget sender and recipients."""
        self.utf8 = False
        self.recipients = 0


def interpret(command: Command, dialogue: Dialogue) -> Event:
    """Return the event that a command other than BDAT means; see `find_bdat_refusal` for that one.

    Raises:
        CommandError: the command is unknown, out of order, not offered or malformed.
    """
    verb = command.verb
    if verb not in COMMANDS:
        raise CommandError(answers.UNKNOWN)
    if verb not in STATELESS_COMMANDS and verb not in TRANSITIONS[dialogue.state]:
        is_early = verb == "DATA" and dialogue.state is State.MAIL
        raise CommandError(answers.NO_RECIPIENTS if is_early else answers.BAD_SEQUENCE)
    return _INTERPRETERS[verb](command, dialogue)


def find_bdat_refusal(dialogue: Dialogue) -> Reply | None:
    """Return why a BDAT cannot be taken where the dialogue stands, or None; its octets come either way."""
    if "BDAT" in TRANSITIONS[dialogue.state]:
        return None if Extension.CHUNKING in dialogue.offered else answers.NOT_IMPLEMENTED
    return answers.NO_RECIPIENTS if dialogue.state is State.MAIL else answers.BAD_SEQUENCE


def _hello(command: Command, dialogue: Dialogue) -> Event:
    if (command.verb == "LHLO") != dialogue.options.lmtp:
        raise CommandError(answers.UNKNOWN)
    return parse_hello(command.argument, extended=command.verb != "HELO")


def _mail(command: Command, dialogue: Dialogue) -> Event:
    mail = parse_mail(command.argument, dialogue.offered)
    if (mail.parameters.size or 0) > dialogue.options.max_message_bytes:
        raise CommandError(MESSAGE_TOO_LARGE)
    return mail


def _rcpt(command: Command, dialogue: Dialogue) -> Event:
    return parse_rcpt(command.argument, dialogue.offered, utf8=dialogue.utf8)


def _start_tls(command: Command, dialogue: Dialogue) -> Event:
    _refuse_argument(command)
    if dialogue.options.tls or not dialogue.extended:
        raise CommandError(answers.BAD_SEQUENCE)
    if not dialogue.options.offers_starttls:
        raise CommandError(answers.NOT_IMPLEMENTED)
    return StartTls()


def _auth(command: Command, dialogue: Dialogue) -> Event:
    options = dialogue.options
    if dialogue.authenticated or not dialogue.extended:
        raise CommandError(answers.BAD_SEQUENCE)
    if not options.offers_auth:
        needs_tls = options.auth_mechanisms and options.offers_starttls
        raise CommandError(answers.ENCRYPTION_NEEDED if needs_tls else answers.NOT_IMPLEMENTED)
    return parse_auth(command.argument, options.auth_mechanisms)


def _answered(command: Command, _dialogue: Dialogue) -> Event:
    return Answered(command.verb)


def _not_implemented(_command: Command, _dialogue: Dialogue) -> Event:
    raise CommandError(answers.NOT_IMPLEMENTED)


def _without_argument(event: Event) -> Callable[[Command, Dialogue], Event]:
    def interpret_word(command: Command, _dialogue: Dialogue) -> Event:
        _refuse_argument(command)
        return event

    return interpret_word


def _refuse_argument(command: Command) -> None:
    if command.argument:
        raise CommandError(answers.NO_ARGUMENT)


_INTERPRETERS: dict[str, Callable[[Command, Dialogue], Event]] = {
    "HELO": _hello,
    "EHLO": _hello,
    "LHLO": _hello,
    "MAIL": _mail,
    "RCPT": _rcpt,
    "DATA": _without_argument(DataStarted()),
    "RSET": _without_argument(Reset()),
    "QUIT": _without_argument(Quit()),
    "STARTTLS": _start_tls,
    "AUTH": _auth,
    "NOOP": _answered,
    "HELP": _answered,
    "VRFY": _answered,
    "EXPN": _not_implemented,
}
