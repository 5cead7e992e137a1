"""What became of the customers, by each dimension: realised charge-off rates with their uncertainty.

Rates are of loans whose outcome is known. Weighted rates stand for the population that the weights point at; their
interval is Wilson's at the effective sample size (sum w)^2 / sum w^2. Rows drawn at their natural rate stand apart.
Read for reports and validation only: no rule ever sees this.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927);
L. Kish, Survey Sampling (1965), section 11.7, for the effective size.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kequn.apps.accounts.access import SEE_OUTCOMES, Person, may
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.customers.selectors import visible_to
from kequn.apps.deals.models import FacilityOutcome
from kequn.domain.errors import Misuse, Text

Z95 = 1.959963984540054
NATURAL_KINDS = frozenset({"head", "both"})
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of loans charged off: loans, effective size, rate and its 95 % interval; None where there are none."""

    loans: int
    effective: float
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One value of one dimension."""

    dimension: str
    value: str
    customers: int
    loans: int
    exposure_gross: int  # minor units of yuan, of the customers whose exposure is known
    exposure_known: int
    outcome_unknown: int  # loans without a known outcome
    weighted: Rate
    natural: Rate


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    dimension: str
    rows: tuple[OutcomeRow, ...]
    total: OutcomeRow
    unknown_share: float  # of customers

    @property
    def reconciles(self) -> bool:
        """Customers and loans of the values sum to the totals counted by themselves."""
        return (
            sum(one.customers for one in self.rows) == self.total.customers
            and sum(one.loans for one in self.rows) == self.total.loans
        )


def wilson(*, rate: float, size: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion.

    >>> [round(one, 4) for one in wilson(rate=0.1, size=100)]
    [0.0552, 0.1744]
    """
    square = Z95 * Z95
    middle = (rate + square / (2 * size)) / (1 + square / size)
    half = Z95 / (1 + square / size) * math.sqrt(rate * (1 - rate) / size + square / (4 * size * size))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(slots=True)
class _Sum:
    loans: int = 0
    weight: float = 0.0
    squares: float = 0.0
    bad: float = 0.0

    def add(self, weight: float, charged_off: bool) -> None:
        self.loans += 1
        self.weight += weight
        self.squares += weight * weight
        self.bad += weight * charged_off

    def rate(self) -> Rate:
        if not self.weight:
            return Rate(self.loans, 0.0, None, None, None)
        effective, rate = self.weight**2 / self.squares, self.bad / self.weight
        return Rate(self.loans, effective, rate, *wilson(rate=rate, size=effective))


@dataclass(slots=True)
class _Tally:
    customers: set[int] = field(default_factory=set)
    loans: int = 0
    outcome_unknown: int = 0
    weighted: _Sum = field(default_factory=_Sum)
    natural: _Sum = field(default_factory=_Sum)

    def add(self, loan: "_Loan", *, by_weight: bool) -> None:
        self.customers.add(loan.customer)
        self.loans += 1
        if loan.charged_off is None:
            self.outcome_unknown += 1
            return
        if not by_weight:
            self.weighted.add(1.0, loan.charged_off)
        elif loan.weight is not None:
            self.weighted.add(loan.weight, loan.charged_off)
        if loan.kind in NATURAL_KINDS:
            self.natural.add(1.0, loan.charged_off)

    def row(self, dimension: str, value: str, exposures: dict[int, int | None]) -> OutcomeRow:
        known = [found for one in self.customers if (found := exposures.get(one)) is not None]
        return OutcomeRow(
            dimension, value, len(self.customers), self.loans, sum(known), len(known), self.outcome_unknown,
            self.weighted.rate(), self.natural.rate(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Loan:
    customer: int
    charged_off: bool | None
    weight: float | None
    kind: str


def dimensions() -> list[str]:
    found = FindingSpan.objects.filter(kind="dimension", valid_to__isnull=True)
    return sorted(found.order_by().values_list("key", flat=True).distinct())


def outcomes_by(*, person: Person, by: str = "all", weight: str = "") -> list[OutcomeTable]:
    """One table for each dimension asked for. `weight`: sample_weight, or nothing for plain counts of loans."""
    if not may(person, SEE_OUTCOMES):
        raise Misuse(Text("没有查看结果的权限", "you may not see outcomes"))
    if weight not in {"", "sample_weight", "loan_sample_weight"}:
        raise Misuse(Text(f"没有权重 {weight}", f"no weight {weight}; there is sample_weight"))
    known = dimensions()
    if by != "all" and by not in known:
        there = ", ".join(known)
        raise Misuse(Text(f"没有维度 {by}；现有：{there}", f"no dimension {by}; there are: {there}"))
    loans = _loans(person)
    figures = CustomerFigures.objects.filter(customer__in=visible_to(person).order_by().values("pk"))
    exposures = dict(figures.values_list("customer_id", "exposure_gross"))
    return [_table(one, loans, exposures, by_weight=bool(weight)) for one in (known if by == "all" else [by])]


def _loans(person: Person) -> list[_Loan]:
    found = FacilityOutcome.objects.order_by("id")
    if person.scope != "all":
        found = found.filter(facility__customer__in=visible_to(person).order_by().values("pk"))
    columns = ("facility__customer_id", "charged_off", "loan_sample_weight", "loan_sample_kind")
    return [_Loan(*row) for row in found.values_list(*columns)]


def _table(key: str, loans: Iterable[_Loan], exposures: dict[int, int | None], *, by_weight: bool) -> OutcomeTable:
    spans = FindingSpan.objects.filter(key=key, valid_to__isnull=True).values_list("customer_id", "value")
    values, tallies, total = dict(spans), {}, _Tally()
    for loan in loans:
        value = values.get(loan.customer, UNKNOWN)
        if value not in tallies:
            tallies[value] = _Tally()
        tallies[value].add(loan, by_weight=by_weight)
        total.add(loan, by_weight=by_weight)
    ordered = sorted(tallies, key=lambda value: (value == UNKNOWN, value))
    rows = tuple(tallies[value].row(key, value, exposures) for value in ordered)
    unknown = len(tallies[UNKNOWN].customers) if UNKNOWN in tallies else 0
    share = unknown / len(total.customers) if total.customers else 0.0
    return OutcomeTable(key, rows, total.row(key, "", exposures), share)


CSV_HEADER = (
    "dimension", "value", "customers", "loans", "exposure_gross_cny", "customers_with_known_exposure",
    "loans_without_outcome", "rate", "rate_low", "rate_high", "rate_loans", "rate_effective_size",
    "natural_rate", "natural_low", "natural_high", "natural_loans", "unknown_share_of_customers",
)  # fmt: skip


def csv_rows(tables: Iterable[OutcomeTable]) -> Iterable[tuple[Any, ...]]:
    """The tables as rows; the total of a dimension has the value `(all)`."""
    for table in tables:
        for one in (*table.rows, table.total):
            yield (
                one.dimension, one.value or "(all)", one.customers, one.loans, f"{one.exposure_gross / 100:.2f}",
                one.exposure_known, one.outcome_unknown,
                *_cells(one.weighted), one.weighted.loans, round(one.weighted.effective, 1),
                *_cells(one.natural), one.natural.loans, f"{table.unknown_share:.6f}",
            )  # fmt: skip


def _cells(rate: Rate) -> tuple[str, str, str]:
    low, high = rate.low, rate.high
    if rate.rate is None or low is None or high is None:
        return "", "", ""
    return f"{rate.rate:.6f}", f"{low:.6f}", f"{high:.6f}"
