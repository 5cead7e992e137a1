"""Segments proposed from data: a mixture of groups, what speaks against each of them, and each as a rule.

Nothing here is published. What comes out is a card with every figure, and for each group that stands a rule in the
grammar of policy, which goes the way of any other draft. Where the data hold no groups, they are refused.
"""
