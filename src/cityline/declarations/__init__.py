"""What a person wrote, as checked objects: one module a kind, each with its JSON Schema."""
