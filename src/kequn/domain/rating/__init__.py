"""How safe a customer is: from points to a score, a probability of default and back."""
