"""Snapshots, runs, and findings with their history as spans."""
