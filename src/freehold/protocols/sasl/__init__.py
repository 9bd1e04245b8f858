"""Server side of SASL mechanisms without I/O (RFC 4422), shared by SMTP, IMAP and POP3.

A mechanism turns a client's responses into credentials or a proof; it knows no login. Who exists, which
verifier belongs to whom and how often one may try belong to the accounts.
"""
