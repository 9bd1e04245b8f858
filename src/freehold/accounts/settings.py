"""The section `[accounts]` of the configuration: nothing yet needs a restart, all else is in the database."""

import msgspec


class AccountsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Has no keys."""
