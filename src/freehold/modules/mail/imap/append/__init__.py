"""APPEND and REPLACE: what the client uploads, and puts together from parts."""
