"""Trino: questions and ad-hoc SQL over the same Iceberg tables. Needs the extra `trino`."""
