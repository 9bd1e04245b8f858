"""Server side of POP3 without I/O (RFC 1939, 2449, 2595, 3206, 5034): bytes in, values out.

Absent: APOP, whose server must know the password itself; LOGIN-DELAY; UTF8 and LANG (RFC 6856).
"""
