"""The section `[mail]` of the configuration."""

import msgspec

from freehold.modules.mail.imap.settings import ImapSettings
from freehold.modules.mail.pop3.settings import Pop3Settings
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.smtp.settings import SmtpSettings


class MailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of mail, by part."""

    smtp: SmtpSettings = SmtpSettings()
    imap: ImapSettings = ImapSettings()
    pop3: Pop3Settings = Pop3Settings()
    queue: QueueSettings = QueueSettings()
