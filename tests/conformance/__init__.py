"""The conformance matrix: the same cases on every engine, compared value by value."""
