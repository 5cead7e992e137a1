"""Today: what to do first, ranked by the money at risk, for the customers of one's scope."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import IMPORT, RUN, Person, may, sees_imports, sees_runs
from kequn.apps.accounts.models import Role
from kequn.apps.assessments import attention, listing
from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.models import Run
from kequn.apps.governance.selectors import waiting_for
from kequn.apps.ingest.selectors import batches
from kequn.apps.jobs.selectors import waiting
from kequn.apps.ratings.selectors import at_work
from kequn.web import labels
from kequn.web.templatetags.kequn import language

LATE = "sig_statement_late"
ORDER: dict[str, tuple[str, ...]] = {  # what matters most to whom; money decides inside each part
    Role.MANAGER: ("past_due", "new_signals", "maturing", "late", "fallen"),
    Role.ANALYST: ("fallen", "late", "new_signals", "past_due", "maturing"),
    Role.RISK: ("new_signals", "fallen", "past_due", "late", "maturing"),
}
USUAL = ("new_signals", "fallen", "past_due", "maturing", "late")
RECENT_IMPORTS = 3


@dataclass(frozen=True, slots=True)
class Section:
    """One reason for attention: its customers, how many in all, and where all of them are listed."""

    key: str
    title: str
    hint: str
    part: attention.Reason
    rows: list[dict[str, Any]]
    url: str
    empty: str


@require_safe
def today(request: HttpRequest) -> HttpResponse:
    run = findings.latest_published()
    person = request.user
    order = ORDER.get(person.role, USUAL)
    asked = _asked(run)
    found = attention.today(person=person, asked=asked)
    sections = _sections(asked, found.reasons)
    context = {
        "run": run,
        "totals": listing.totals(person=person, wanted=listing.Wanted()),
        "unassessed": found.unassessed,
        "sections": [sections[key] for key in order if key in sections],
        "to_decide": waiting_for(person=person),
        "ratings": _ratings(person),
        "changes": _changes(found.changes),
        "waiting": waiting("run") if sees_runs(person) else 0,
        "may_import": may(person, IMPORT),
        "may_run": may(person, RUN),
        "sees_runs": sees_runs(person),
        "imports": list(batches()[:RECENT_IMPORTS]) if sees_imports(person) else [],
    }
    return render(request, "kequn/today.html", context)


def _ratings(person: Person) -> list[dict[str, Any]]:
    """The ratings that wait for somebody, by what they wait for."""
    counted = at_work(person=person)
    parts = {"suggested": _("Ratings suggested"), "proposed": _("Ratings to approve"), "expired": _("Ratings expired")}
    return [{"part": part, "label": label, "number": counted[part]} for part, label in parts.items() if part in counted]


def _asked(run: Run | None) -> attention.Asked:
    """What policy has today look for."""
    as_of = run.as_of if run else timezone.localdate()
    scale = sorted(listing.classes().get("grade", []), key=lambda value: labels.place("grade", value))
    return attention.Asked(
        as_of=as_of, days=int(labels.pack().constant("attention_maturity_days", as_of)), run=run,
        scale=tuple(scale), late=LATE if labels.item(LATE) is not None else "",
    )  # fmt: skip


def _sections(asked: attention.Asked, reasons: dict[str, attention.Reason]) -> dict[str, Section]:
    customers = reverse("customers")
    found = {
        "past_due": Section(
            "past_due", _("Past due"), _("longest delay"), *_told(reasons["past_due"], _past_due),
            f"{customers}?segment=late_payers&sort=-exposure" if labels.item("late_payers") else "",
            _("No open facility is past due."),
        ),
        "maturing": Section(
            "maturing", _("Maturing within %(days)s days") % {"days": asked.days}, _("first maturity"),
            *_told(reasons["maturing"], _maturing), "", _("No open facility matures in these days."),
        ),
    }  # fmt: skip
    if asked.run is None:
        return found
    found["new_signals"] = Section(
        "new_signals", _("New signals since the last run"), _("new signals"),
        *_told(reasons["new_signals"], _signals), f"{customers}?sort=-signals",
        _("The last run found no new signal."),
    )  # fmt: skip
    found["fallen"] = Section(
        "fallen", _("Grades that fell"), _("from and to"), *_told(reasons["fallen"], _fallen),
        f"{reverse('migration')}?key=grade", _("No grade fell in the last run."),
    )  # fmt: skip
    if asked.late:
        found["late"] = Section(
            "late", _("Statements overdue"), _("overdue since"), *_told(reasons["late"], _late),
            reverse("segment", args=[LATE]), _("Every statement is in time."),
        )  # fmt: skip
    return found


def _told(part: attention.Reason, say: Any) -> tuple[attention.Reason, list[dict[str, Any]]]:
    return part, [{**row, "said": say(row)} for row in part.rows]


def _past_due(row: dict[str, Any]) -> str:
    return _("%(days)s days") % {"days": int(row["days_past_due"])}


def _maturing(row: dict[str, Any]) -> str:
    return f"{row['maturity_date']:%Y-%m-%d}"


def _signals(row: dict[str, Any]) -> str:
    return ", ".join(labels.fact(key, language()) for key in row["keys"])


def _fallen(row: dict[str, Any]) -> str:
    spoken = language()
    return f"{labels.value('grade', row['was'], spoken)} → {labels.value('grade', row['value'], spoken)}"


def _late(row: dict[str, Any]) -> str:
    return _("no statement date is known") if row["value"] == "unknown" else f"{row['valid_from']:%Y-%m-%d}"


def _changes(counted: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"label": labels.value("cause", cause, language()), "changes": changes}
        for cause, changes in sorted(counted.items(), key=lambda one: -one[1])
    ]
