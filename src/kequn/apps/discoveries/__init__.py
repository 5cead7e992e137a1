"""Discoveries: segments proposed from data, each kept with its figures until somebody opens one of its rules."""
