"""The statement forms of a pack: lines, sums and checks, read and checked against the fact dictionary."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kequn.domain.errors import Place, Text
from kequn.domain.facts import Grain
from kequn.domain.rating.spreading import OPENING, Check
from kequn.policy.documents import Complaints, label_of
from kequn.policy.pack import Pack

DOCUMENT = "statement_forms"


@dataclass(frozen=True, slots=True)
class FormLine:
    """A line of a form. `sums`: of which lines it is made; `rest`: what its other lines are called."""

    code: str
    fact: str
    sums: Mapping[str, float]
    rest: Text | None
    rest_may_be_negative: bool


@dataclass(frozen=True, slots=True)
class Form:
    name: str
    label: Text
    lines: tuple[FormLine, ...]


@dataclass(frozen=True, slots=True)
class StatementForms:
    forms: tuple[Form, ...]
    checks: tuple[tuple[Check, Text], ...]
    tolerance: float
    status: str
    source: Text


def statement_forms(pack: Pack, as_of: date) -> StatementForms | None:
    """The forms in force at a date; None where a pack has none. Refused with each place that is wrong."""
    document = next((one for one in pack.documents(as_of) if one.key == DOCUMENT), None)
    if document is None:
        return None
    body, file, complaints = document.body.get(DOCUMENT, {}), document.heading.file, Complaints()
    known = {fact.name for fact in pack.vocabulary if fact.grain == Grain.STATEMENT}
    tolerance = float(body.get("tolerance", 0))
    forms = tuple(
        Form(row["name"], label_of(row, Place(file, "forms"), complaints),
             tuple(_line(one, Place(file, row["name"]), known, complaints) for one in row["lines"]))
        for row in body.get("forms", ())
    )  # fmt: skip
    checks = tuple(_check(row, Place(file, "checks"), known, tolerance, complaints) for row in body.get("checks", ()))
    complaints.settle(pack.id)
    return StatementForms(forms, checks, tolerance, document.heading.status, document.heading.source)


def _line(row: Mapping[str, Any], place: Place, known: set[str], complaints: Complaints) -> FormLine:
    sums = {str(name): float(factor) for name, factor in row.get("sums", {}).items()}
    for name in (str(row["fact"]), *sums):
        if name not in known:
            complaints.add(place, "fact", "事实字典没有此报表项目", "no such item of a statement", found=name)
    rest = label_of(row["rest"], place, complaints) if "rest" in row else None
    return FormLine(str(row["code"]), str(row["fact"]), sums, rest, bool(row.get("rest_may_be_negative", False)))


def _check(
    row: Mapping[str, Any], place: Place, known: set[str], tolerance: float, complaints: Complaints
) -> tuple[Check, Text]:
    if row.get("kind") not in ("equal", "at_most"):
        complaints.add(place, "kind", "不认识的核对方式", "unknown kind of check", found=row.get("kind"),
                       allowed="equal at_most")  # fmt: skip
    sides = [{str(name): float(factor) for name, factor in row.get(side, {}).items()} for side in ("left", "right")]
    for name in (name.removeprefix(OPENING) for side in sides for name in side):
        if name not in known:
            complaints.add(place, "fact", "事实字典没有此报表项目", "no such item of a statement", found=name)
    made = Check(str(row["name"]), row.get("kind", "equal"), sides[0], sides[1], float(row.get("tolerance", tolerance)))
    return made, label_of(row, place, complaints)
