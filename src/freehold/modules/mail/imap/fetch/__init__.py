"""FETCH: what is asked for, read and sent; and what a client that comes back has missed."""
