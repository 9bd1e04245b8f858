"""Freehold: a server for people who own a domain."""

__version__ = "0.1.0"
