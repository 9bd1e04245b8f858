"""IMAP, server side, without I/O: IMAP4rev1 (RFC 3501), in the words of RFC 9051 where both agree.

`connection.ServerConnection` makes events of octets; the values of commands are in the family files that
`registry` lists; `response`, `response_code` and `data_response` write what goes back.
"""
