"""The only room that knows the order: what the steps are, what depends on what, and one run."""
