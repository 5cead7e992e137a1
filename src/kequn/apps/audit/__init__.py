"""The append-only audit chain. The actor is a text key, so that everything above can write to it."""
