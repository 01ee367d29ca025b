"""The web door: it reads what was released, and knows who asks. It never starts a run."""
