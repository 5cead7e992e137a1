"""The facts that a rating reads: of one customer from the records, of the whole book from the results of a run.

Both read the same findings of the engine and the same rows on owners, guarantors and grades, so that one customer and
the book cannot disagree.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from kequn.apps.assessments.explaining import known_of
from kequn.apps.assessments.models import FindingSpan, Run
from kequn.apps.assessments.snapshots import yuan_at
from kequn.apps.customers.models import Customer, Guarantee, Ownership
from kequn.apps.ratings import covenants
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.domain.errors import Refused, Text
from kequn.domain.monitoring.levels import Level
from kequn.domain.rules.tree import Value
from kequn.policy.pack import Pack
from kequn.policy.rating import RatingPolicy

NO_SIGNAL, UNKNOWN = "none", "unknown"  # no signal stands; none that is known stands, but some cannot be told
EXPOSURE = "exposure_gross"
Facts = dict[str, Value | None]


@dataclass(frozen=True, slots=True)
class Kin:
    """Who may support a customer: the owner with the largest holding, and each guarantor with its amount in yuan."""

    parent: int | None
    guarantors: tuple[tuple[int, float | None], ...]


def facts_of_customer(*, customer: Customer, as_of: date, pack: Pack, policy: RatingPolicy) -> Facts:
    """The facts of one customer from the records, as of a date."""
    known = known_of(customer=customer, as_of=as_of, pack=pack)
    answers = known.answers()
    facts: Facts = {name: answers.get(name) for name in policy.reads}
    facts["warning_level"] = _gravest(levels_of(pack, as_of), answers)
    facts[covenants.FACT] = covenants.fact_of_customer(known, customer, timezone.localdate())
    kin = kin_at(as_of, pack, policy, customer.pk).get(customer.pk)
    beside = {kin.parent, *(one for one, _ in kin.guarantors)} if kin is not None else set()
    grades = grades_now({one for one in beside if one is not None})
    return facts | supported(kin, grades, answers.get(EXPOSURE), policy)


def facts_of_book(*, run: Run, pack: Pack, policy: RatingPolicy) -> Iterator[tuple[str, Facts]]:
    """Code and facts of every customer of a run, in the order of its results."""
    file = Path(settings.KEQUN_HOME) / run.folder / "findings.parquet"
    kin = kin_at(run.as_of, pack, policy)
    by_code = dict(Customer.objects.values_list("code", "pk"))
    grades, agreed = grades_now(), covenants.fact_of_book(pack, run.as_of, timezone.localdate())
    with duckdb.connect() as con:
        there = {row[0] for row in con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]).fetchall()}
        lacking = [name for name in policy.reads if name not in there]
        if lacking:
            names = " ".join(lacking[:5])
            raise Refused(
                Text(f"运行 {run.pk} 的结果缺少评级所需的结论（{names}）；请按现行政策重新运行",
                     f"run {run.pk} has not found what ratings read ({names}); run again under the policy in use")
            )  # fmt: skip
        columns = ", ".join(f'"{name}"' for name in policy.reads)
        asked = (
            f'SELECT customer_id, "{EXPOSURE}", {_level_sql(pack, run.as_of, there)}, {columns} FROM read_parquet(?)'
        )
        found = con.execute(asked, [str(file)])
        while rows := found.fetchmany(10_000):
            for code, exposure, level, *values in rows:
                facts: Facts = dict(zip(policy.reads, values, strict=True))
                facts["warning_level"] = level
                facts[covenants.FACT] = agreed.get(code)
                yield code, facts | supported(kin.get(by_code.get(code, 0)), grades, exposure, policy)


def levels_of(pack: Pack, as_of: date) -> dict[str, Level]:
    return {one.name: one.level for one in pack.items(as_of) if one.level is not None}


def _gravest(levels: Mapping[str, Level], answers: Mapping[str, Any]) -> str:
    """The gravest level of which a signal holds; where none does, whether some cannot be told."""
    held = [level for name, level in levels.items() if answers.get(name) is True]
    if held:
        return max(held, key=list(Level).index).value
    return UNKNOWN if any(answers.get(name) is None for name in levels) else NO_SIGNAL


def _level_sql(pack: Pack, as_of: date, there: set[str]) -> str:
    """The same as SQL over the findings; a signal that the run did not look for cannot be told."""
    levels = levels_of(pack, as_of)
    cases = []
    for level in reversed(list(Level)):
        names = [f'"{name}"' for name, one in levels.items() if one == level and name in there]
        if names:
            held = " OR ".join(f"coalesce({name}, false)" for name in names)
            cases.append(f"WHEN {held} THEN '{level.value}'")
    if levels.keys() - there:
        cases.append(f"WHEN true THEN '{UNKNOWN}'")
    elif levels:
        some = " OR ".join(f'"{name}" IS NULL' for name in levels)
        cases.append(f"WHEN {some} THEN '{UNKNOWN}'")
    return f"CASE {' '.join(cases)} ELSE '{NO_SIGNAL}' END" if cases else f"'{NO_SIGNAL}'"


# -- who stands behind a customer --------------------------------------------------------------------------------------


def kin_at(as_of: date, pack: Pack, policy: RatingPolicy, customer: int | None = None) -> dict[int, Kin]:
    """The supporters of all customers, or of one, that stand at a date."""
    still = Q(from_date__lte=as_of) & (Q(to_date__isnull=True) | Q(to_date__gt=as_of))
    owned = Ownership.objects.filter(still, relation__in=("ownership", "control"))
    given = Guarantee.objects.filter(still)
    if customer is not None:
        owned, given = owned.filter(customer_id=customer), given.filter(customer_id=customer)
    least = float(policy.body["rating"]["support"]["group"]["share_least"])
    parents: dict[int, tuple[float, int]] = {}
    rows = owned.order_by("id").values_list("customer_id", "parent_id", "relation", "share")
    for owned_one, parent, relation, share in rows:
        held = 1.0 if relation == "control" else float(share or 0)
        if held >= least and held > parents.get(owned_one, (0.0, 0))[0]:
            parents[owned_one] = (held, parent)
    guarantors: dict[int, dict[int, float | None]] = defaultdict(dict)
    promised = list(given.order_by("id").values_list("customer_id", "guarantor_id", "amount", "currency"))
    yuan = yuan_at(pack, {row[3] for row in promised} - {""}, as_of)
    for covered, guarantor, amount, currency in promised:
        value, before = yuan.of(amount, currency), guarantors[covered].get(guarantor, 0.0)
        guarantors[covered][guarantor] = None if value is None or before is None else before + value
    everyone = parents.keys() | guarantors.keys()
    return {one: Kin(parents[one][1] if one in parents else None, tuple(guarantors.get(one, {}).items()))
            for one in everyone}  # fmt: skip


def grades_now(customers: set[int] | None = None) -> dict[int, str]:
    """The grade in force of some customers, or of all; where none was approved, the one the last run found."""
    found = FindingSpan.objects.filter(key="grade", valid_to__isnull=True)
    approved = RatingCase.objects.filter(state=RatingState.APPROVED)
    if customers is not None:
        if not customers:
            return {}
        found, approved = found.filter(customer__in=customers), approved.filter(customer__in=customers)
    return dict(found.values_list("customer_id", "value")) | dict(approved.values_list("customer_id", "grade"))


def supported(kin: Kin | None, grades: Mapping[int, str], exposure: Any, policy: RatingPolicy) -> Facts:
    """The grades of parent and guarantor, and the share of the exposure that the guarantor covers.

    Of several guarantors the one with the best grade is read; all unknown where there is none.
    """
    order = (*policy.scheme.scale.grades, policy.scheme.scale.default)
    facts: Facts = {"parent_grade": None, "guarantor_grade": None, "guarantor_share": None}
    if kin is None:
        return facts
    if kin.parent is not None and grades.get(kin.parent) in order:
        facts["parent_grade"] = grades[kin.parent]
    graded = [(order.index(grades[one]), amount) for one, amount in kin.guarantors if grades.get(one) in order]
    if graded:
        place, amount = min(graded, key=lambda row: row[0])
        facts["guarantor_grade"] = order[place]
        if amount is not None and isinstance(exposure, int | float) and exposure > 0:
            facts["guarantor_share"] = amount / exposure
    return facts
