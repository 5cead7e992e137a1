"""Ratings: cases with their inputs and policy, from the machine's suggestion to the rating in force."""
