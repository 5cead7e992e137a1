"""Structuring: what a loan should cost and how large it may be, from the judgements of the rooms beside it."""
