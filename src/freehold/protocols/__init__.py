"""Wire protocols without I/O: bytes in, values out."""
