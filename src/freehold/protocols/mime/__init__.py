"""Internet messages: where their parts lie, what their headers say, how new ones are composed.

This package owns the grammar of RFC 5322, RFC 2045-2049, RFC 2231 and RFC 3464. It reads and
writes bytes only; storage, protocols' commands and policy belong to those who call it.
"""
