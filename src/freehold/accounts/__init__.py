"""Owners, their domains, and logins with passwords: who may do what, and who somebody is.

Owns the tables of `schema/`; what mail addresses there are, and what a login reads, is the mail module's.
"""

from typing import Final

from freehold.accounts.settings import AccountsSettings
from freehold.kernel.module import Module
from freehold.storage.migrations import Schema

SCHEMA: Final = Schema("accounts", "freehold.accounts.schema")

MODULE: Final = Module(name="accounts", config=AccountsSettings, schemas=(SCHEMA,))
