"""SEARCH and SORT: what matches, in which order, and what becomes of the result."""
