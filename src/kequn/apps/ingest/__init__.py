"""Files in: read, checked, stored in one transaction, accounted for row by row, undone."""
