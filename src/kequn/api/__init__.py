"""The book as JSON for other programs: read-only, by token, within the scope of the token's person."""
