"""Taking responsibility for a message: what it becomes, stored and queued in one transaction."""
