"""Which addresses there are, where each one leads, and who may send as it."""
