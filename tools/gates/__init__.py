"""The static gates: every tool that judges the templates, offline, and what is acknowledged."""
