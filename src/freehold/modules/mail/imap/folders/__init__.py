"""The commands on folders: their names, rights, annotations, quotas and state."""
