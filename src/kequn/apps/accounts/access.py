"""Who may do what. The person at the terminal of the machine is the local administrator."""

from dataclasses import dataclass
from typing import Protocol

from kequn.apps.accounts.models import Role, Scope

IMPORT, UNDO, RUN, SEE_AUDIT, SEE_OUTCOMES, MANAGE_USERS, ASSIGN, REBUILD_SEARCH, DEFINE, MODEL, RATE = (
    "import",
    "undo",
    "run",
    "see_audit",
    "see_outcomes",
    "manage_users",
    "assign",
    "rebuild_search",
    "define",
    "model",
    "rate",
)
ACTS: dict[str, frozenset[str]] = {
    Role.MANAGER: frozenset({MODEL, RATE}),
    Role.ANALYST: frozenset({SEE_OUTCOMES, MODEL, RATE}),
    Role.RISK: frozenset({RUN, SEE_OUTCOMES, MODEL, RATE}),
    Role.SEGMENT: frozenset({IMPORT, RUN, SEE_OUTCOMES, DEFINE}),
    Role.HEAD: frozenset({SEE_OUTCOMES}),
    Role.ADMINISTRATOR: frozenset(
        {IMPORT, UNDO, RUN, SEE_AUDIT, SEE_OUTCOMES, MANAGE_USERS, ASSIGN, REBUILD_SEARCH, DEFINE, MODEL, RATE}
    ),
    Role.AUDITOR: frozenset({SEE_AUDIT, SEE_OUTCOMES}),
}
WHOLE_BOOK = frozenset({IMPORT, UNDO, DEFINE})
DEFAULT_SCOPE: dict[str, str] = {
    Role.MANAGER: Scope.OWN,
    Role.ANALYST: Scope.TEAM,
    Role.RISK: Scope.BRANCH,
    Role.SEGMENT: Scope.ALL,
    Role.HEAD: Scope.ALL,
    Role.ADMINISTRATOR: Scope.ALL,
    Role.AUDITOR: Scope.ALL,
}


class Person(Protocol):
    """Whoever acts: a signed-in user or the local administrator."""

    pk: int | None
    role: str
    scope: str
    team_id: int | None
    branch_id: int | None

    @property
    def actor_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class LocalAdministrator:
    """Someone with a shell on the machine: may do all, and the audit line says who it was."""

    pk: int | None = None
    role: str = Role.ADMINISTRATOR
    scope: str = Scope.ALL
    team_id: int | None = None
    branch_id: int | None = None

    @property
    def actor_key(self) -> str:
        return "local:administrator"


def may(person: Person, act: str) -> bool:
    """Whether this person may do this act at all; what they may see is the scope's affair.

    Files can hold any customer of the book, so bringing them in and taking them back is for who sees it whole; a
    definition reaches every customer, so defining is too.
    """
    if act in WHOLE_BOOK and person.scope != Scope.ALL:
        return False
    return act in ACTS.get(person.role, frozenset())


def sees_runs(person: Person) -> bool:
    """Runs speak of the whole book, so they are for who sees it whole or may start one."""
    return person.scope == Scope.ALL or may(person, RUN)


def sees_imports(person: Person) -> bool:
    """Imports can hold any customer, so they are for who brings files in, and for who audits the whole book."""
    return may(person, IMPORT) or (may(person, SEE_AUDIT) and person.scope == Scope.ALL)
