"""Who asks: people, their roles, sessions, tokens, and sign-in elsewhere."""
