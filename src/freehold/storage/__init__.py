"""The database (SQLite or PostgreSQL), its migrations, and message bytes (rows, files or S3)."""
