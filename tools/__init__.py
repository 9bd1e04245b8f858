"""Programs for those who work on Freehold."""
