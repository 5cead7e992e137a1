"""What is said of the ratings of the book, as papers: for a page, a file or the terminal, in one language."""

from datetime import date
from typing import Any

from django.conf import settings

from kequn.apps.accounts.access import Person
from kequn.apps.audit.services import line
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.challenging import Comparison
from kequn.apps.ratings.services import rating_date
from kequn.apps.ratings.validating import Window, validated
from kequn.domain.errors import Language, Text
from kequn.reports.comparison_paper import comparison_paper
from kequn.reports.paper import Paper
from kequn.reports.rating_validation_paper import rating_validation_paper
from kequn.reports.writing import Format, write
from kequn.version import VERSION


def validation_paper_of(*, person: Person, window: Window, language: Language) -> Paper:
    """The validation of the ratings on record that the person may see."""
    return paper_of_validation(validated(person=person, window=window), language)


def paper_of_validation(found: dict[str, Any], language: Language) -> Paper:
    day = rating_date()
    return rating_validation_paper(found, language, foot=_foot(day, language), day=str(day))


def _foot(day: date, language: Language) -> str:
    pack = policy_in_use()
    said = Text(
        f"基准日 {day}，政策包 {pack.id} {pack.version} {pack.digest[:12]}，程序 {VERSION}",
        f"As of {day}, policy {pack.id} {pack.version} {pack.digest[:12]}, program {VERSION}",
    )
    return said.in_language(language)


def comparison_paper_of(found: Comparison, language: Language) -> Paper:
    """Champion and challenger on one run."""
    movers = [(one.code, one.name, one.champion, one.challenger, one.notches) for one in found.movers]
    day = found.run.as_of
    return comparison_paper(
        found.figures, language=language, model=found.model, trained=found.trained, grades=found.grades,
        movers=movers, foot=_foot(day, language), day=str(day),
    )  # fmt: skip


def make_comparison_report(*, person: Person, found: Comparison, form: Format, language: Language) -> bytes:
    """The same as a file; who took it out is written down."""
    made = write(comparison_paper_of(found, language), form, settings.FRONTEND_ROOT)
    with line(actor=person.actor_key, action="ratings.report", format=form, language=language, model=found.model):
        pass
    return made


def make_validation_report(*, person: Person, window: Window, form: Format, language: Language) -> bytes:
    """The same as a file; who took it out is written down."""
    made = write(validation_paper_of(person=person, window=window, language=language), form, settings.FRONTEND_ROOT)
    with line(actor=person.actor_key, action="ratings.report", format=form, language=language, model=window.model):
        pass
    return made
