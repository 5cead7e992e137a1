"""A PostgreSQL server of the tests' own: made, used and thrown away. It never runs as root."""

from kequn.cli.local_postgres import is_here, server

__all__ = ["is_here", "server"]
