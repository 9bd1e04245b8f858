"""SMTP, submission and LMTP without I/O: addresses, replies, and both sides of a connection.

`server` turns bytes of a client into events and answers into bytes; `client` does the opposite for mail
that leaves. Who may send what to whom, time-outs and sockets belong to the mail module and the listener.
"""
