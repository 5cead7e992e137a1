"""Customers leaving the system as a file: who took what is written in the chain before the first row goes out."""

from kequn.apps.accounts.access import Person
from kequn.apps.audit.services import line


def note_export(*, person: Person, form: str, query: str) -> None:
    """One audit line for a list taken out, with the filters that made it."""
    with line(actor=person.actor_key, action="customers.export", subject=f"{form} {query}"[:300]):
        pass
