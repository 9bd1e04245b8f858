"""IMAP sessions: one file per command family."""
