"""Watching what is known: which facts are too old to be relied on without saying so."""
