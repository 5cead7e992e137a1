"""What is remembered of a customer. One file for each noun."""

from kequn.apps.customers.models.facts import Event, ExternalRating, FactValue
from kequn.apps.customers.models.party import Contact, Customer, Group, Guarantee, Identifier, Ownership, Recorded
from kequn.apps.customers.models.statement import Statement

__all__ = [
    "Contact",
    "Customer",
    "Event",
    "ExternalRating",
    "FactValue",
    "Group",
    "Guarantee",
    "Identifier",
    "Ownership",
    "Recorded",
    "Statement",
]
