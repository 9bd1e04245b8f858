"""Folders and the messages in them: the only code that changes a mailbox."""
