"""The acts of the audit chain in words; the code beside them never changes."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

ACTS = {
    "accounts.active": gettext_noop("Person let in or shut out"),
    "accounts.add": gettext_noop("Person added"),
    "accounts.change": gettext_noop("Role, scope or place changed"),
    "accounts.demo": gettext_noop("Demonstration logins made"),
    "accounts.oidc": gettext_noop("Person joined by single sign-on"),
    "accounts.password.own": gettext_noop("Own password changed"),
    "accounts.password.reset": gettext_noop("Password reset"),
    "accounts.preferences": gettext_noop("Own settings changed"),
    "accounts.sessions.end": gettext_noop("Sessions ended"),
    "accounts.team": gettext_noop("Team made"),
    "accounts.token": gettext_noop("Token made"),
    "accounts.token_removed": gettext_noop("Token ended"),
    "accounts.totp.begin": gettext_noop("Two-step sign-in begun"),
    "accounts.totp.codes": gettext_noop("Recovery codes made"),
    "accounts.totp.off": gettext_noop("Two-step sign-in turned off"),
    "accounts.totp.on": gettext_noop("Two-step sign-in turned on"),
    "accounts.totp.reset": gettext_noop("Two-step sign-in reset"),
    "accounts.totp.used": gettext_noop("One-time code used"),
    "accounts.unlock": gettext_noop("Name unlocked"),
    "accounts.user": gettext_noop("Person added"),
    "accounts.view": gettext_noop("View kept"),
    "accounts.view_removed": gettext_noop("View removed"),
    "assessments.hierarchy": gettext_noop("Exclusive hierarchy proposed"),
    "assessments.pin": gettext_noop("Pin proposed"),
    "assessments.pin_ended": gettext_noop("Pin ended"),
    "briefings.batch": gettext_noop("Reports asked for"),
    "briefings.batch_made": gettext_noop("Reports made"),
    "briefings.cancel": gettext_noop("Reports cancelled"),
    "briefings.overview": gettext_noop("Portfolio overview taken out"),
    "briefings.report": gettext_noop("Customer report taken out"),
    "customers.assign": gettext_noop("Customers assigned"),
    "customers.export": gettext_noop("Customer list taken out"),
    "governance.approve": gettext_noop("Proposal approved"),
    "governance.discard": gettext_noop("Draft thrown away"),
    "governance.draft": gettext_noop("Draft kept"),
    "governance.propose": gettext_noop("Proposal made"),
    "governance.refuse": gettext_noop("Proposal refused"),
    "governance.submit": gettext_noop("Draft put before its checkers"),
    "governance.withdraw": gettext_noop("Proposal withdrawn"),
    "import": gettext_noop("File imported"),
    "import.refused": gettext_noop("File refused"),
    "import.undo": gettext_noop("Import undone"),
    "mapping.keep": gettext_noop("Mapping kept"),
    "mapping.remove": gettext_noop("Mapping removed"),
    "mapping.rename": gettext_noop("Mapping renamed"),
    "projects.actual": gettext_noop("Actual figures of a project kept"),
    "projects.model": gettext_noop("Model of a project kept"),
    "projects.simulate": gettext_noop("Simulation asked for"),
    "projects.simulated": gettext_noop("Simulation ended"),
    "run.publish": gettext_noop("Run published"),
    "run.replay": gettext_noop("Date replayed"),
    "search.rebuild": gettext_noop("Search index rebuilt"),
    "sign_in": gettext_noop("Signed in"),
    "sign_in.failed": gettext_noop("Sign-in failed"),
    "sign_out": gettext_noop("Signed out"),
}


def said(action: str) -> str:
    """An act in the reader's language; one without words is its code."""
    words = ACTS.get(action)
    return _(words) if words else action
