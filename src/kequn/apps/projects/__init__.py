"""The cash-flow models of projects: versions with their results, simulations, and what really came."""
