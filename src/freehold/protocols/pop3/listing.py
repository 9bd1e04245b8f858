"""Lines of LIST and UIDL (RFC 1939 §5, RFC 1939 §7)."""


def scan_line(number: int, octets: int) -> bytes:
    """Return a scan listing: a message's number and its size as RETR sends it, before dot-stuffing."""
    return b"%d %d\r\n" % (number, octets)


def unique_id_line(number: int, uid: int, uid_validity: int) -> bytes:
    """Return a unique-id listing.

    The id is made of what IMAP promises never to give twice in one folder (RFC 9051 §2.3.1.1), written
    as Dovecot does by default: UID, then UIDVALIDITY, in eight hexadecimal digits each.
    """
    return b"%d %08x%08x\r\n" % (number, uid, uid_validity)
