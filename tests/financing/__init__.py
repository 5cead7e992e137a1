"""Project finance: worked cases, models in files, and the identities that hold for every project."""
