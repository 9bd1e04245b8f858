"""Mailboxes, addresses, delivery, the queue, and the protocols that people read and send with."""
