"""The storage layer's own tables."""
