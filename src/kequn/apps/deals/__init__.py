"""Projects, facilities, account flows and what became of them."""
