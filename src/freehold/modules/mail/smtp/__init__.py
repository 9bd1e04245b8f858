"""Receiving mail: sessions of SMTP, submission and LMTP, and what they decide."""
