"""THREAD: the algorithms, and the command."""
