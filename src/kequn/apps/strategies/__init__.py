"""Strategies of segments: their life, what they do to the book, and what the customers of a segment are worth."""
