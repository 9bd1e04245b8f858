"""Owners, domains, logins and their credentials."""
