"""One machine: folders, SQLite, DuckDB and Iceberg, with no account anywhere."""
