"""Invented books: seeded, plainly not real, and consistent, from two hundred customers to a million.

Always true here: the same seed and size give the same book; statements balance to the cent; cash flows explain the
change in cash; defaults follow from the facts with noise; some of everything is missing, as in a real book.
"""
