"""Background work: leased with a fencing token, taken up again after a killed worker."""
