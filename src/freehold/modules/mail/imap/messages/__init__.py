"""Messages as IMAP tells of them: their rows, their content, their flags and dates."""
