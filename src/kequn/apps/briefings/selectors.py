"""Gather what a report says, from customers the reader may see."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from kequn.apps.accounts.access import Person
from kequn.apps.assessments import listing
from kequn.apps.assessments import portfolio as book
from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.explaining import Known, known_of
from kequn.apps.assessments.models import FindingSpan, Run
from kequn.apps.briefings.models import ReportBatch
from kequn.apps.customers.models import Customer
from kequn.domain.errors import Language
from kequn.domain.facts import Grain
from kequn.domain.monitoring.levels import Level
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Value
from kequn.policy import Pack
from kequn.policy.telling import Teller
from kequn.policy.words import words_of
from kequn.reports.analysis import CustomerAnalysis, FacilityLine, Origin, Period, Standing
from kequn.reports.portfolio_paper import CROSSED, ClassLine, Largest, PortfolioOverview, SignalLine
from kequn.version import VERSION

FISCAL_YEAR_END, YEARS_SHOWN = 12, 3
DAYS_COMPARED, LARGEST_SHOWN = 92, 10
Row = dict[str, Any]


def batches_of(person: Person) -> QuerySet[ReportBatch]:
    """The archives this person asked for, the latest first."""
    return ReportBatch.objects.filter(actor=person.actor_key).order_by("-id")


def origin_of(run: Run | None) -> Origin:
    """Facts, policy and program of the last published run; the policy in use where there was none yet."""
    if run is None:
        return Origin(None, timezone.localdate(), settings.KEQUN_PACK, "", VERSION)
    return Origin(run.pk, run.as_of, run.pack, run.policy_digest, run.program_version)


def customer_analysis(
    *, customer: Customer, language: Language, run: Run | None, pack: Pack | None = None
) -> CustomerAnalysis:
    """The financial analysis of one customer as of the run. The caller has narrowed the scope.

    `pack` is the policy in use where the caller has it at hand.
    """
    origin = origin_of(run)
    known = known_of(customer=customer, as_of=origin.as_of, pack=pack)
    figures = getattr(customer, "figures", None)
    rows = known.rows.statements or []
    basis = next(
        (pair for pair in known.pack.basis_order if any((row["scope"], row["standard"]) == pair for row in rows)), None
    )
    return CustomerAnalysis(
        code=customer.code,
        name=customer.name,
        uscc=customer.uscc or "",
        group=customer.group.name if customer.group else "",
        manager=str(customer.owner) if customer.owner else "",
        origin=origin,
        pack=known.pack,
        plan=known.plan,
        answers=known.answers(),
        facts=_facts(known.record),
        basis=basis,
        periods=_periods(known, [row for row in rows if (row["scope"], row["standard"]) == basis]),
        facilities=tuple(_facility(row) for row in known.rows.facilities or []),
        standing=_signals(customer, known, language),
        exposure_gross=figures.exposure_gross if figures else None,
        exposure_net=figures.exposure_net if figures else None,
    )


def _facts(record: Record) -> dict[str, Value | None]:
    newest = {name: series[0] for name, series in record.periods.get(Grain.STATEMENT, {}).items() if series}
    return {**newest, **record.customer}


def _periods(known: Known, rows: list[Row]) -> tuple[Period, ...]:
    """The newest period, the same one a year before, and the last ends of fiscal years; the oldest first."""
    newest_version: dict[date, Row] = {}
    for row in rows:  # the highest version of a period stands first
        newest_version.setdefault(row["period_end"], row)
    return tuple(
        Period(end, newest_version[end]["flows"], _in_fen(newest_version[end]), known.answers_until(end))
        for end in periods_shown(sorted(newest_version))
    )


def periods_shown(ends: list[date]) -> list[date]:
    """Which of the known periods a reader compares.

    >>> known = [date(2024, 12, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31), date(2026, 6, 30)]
    >>> [str(one) for one in periods_shown(known)]
    ['2024-12-31', '2025-06-30', '2025-12-31', '2026-06-30']
    """
    if not ends:
        return []
    newest = ends[-1]
    years = [end for end in ends if end.month == FISCAL_YEAR_END and end != newest][-YEARS_SHOWN:]
    year_before = [end for end in ends if (end.year, end.month) == (newest.year - 1, newest.month)]
    return sorted({newest, *years, *year_before})


def _in_fen(row: Row) -> dict[str, int | None]:
    """The amounts of a row in yuan as fen; what is no amount is left out."""
    numbers = {name: value for name, value in row.items() if isinstance(value, float) and name != "months"}
    return {name: round(value * 100) for name, value in numbers.items()}


def _facility(row: Row) -> FacilityLine:
    fen = _in_fen(row)
    return FacilityLine(
        facility_id=row["facility_id"],
        product=row.get("product") or "",
        security=row.get("security") or "",
        committed=fen.get("committed"),
        drawn=fen.get("drawn"),
        off_balance=fen.get("off_balance"),
        margin_deposit=fen.get("margin_deposit"),
        maturity=row.get("maturity_date"),
        days_past_due=row.get("days_past_due"),
    )


def _signals(customer: Customer, known: Known, language: Language) -> tuple[Standing, ...]:
    """The signals that stand, each with what was found, the gravest first."""
    teller = Teller(known.pack, known.plan, language)
    gravest_first = list(reversed(Level))
    levels = {item.name: item.level for item in known.pack.items(known.as_of) if item.level}
    standing = [one for one in findings.findings_of(customer).filter(kind="signal", value="true") if one.key in levels]
    ordered = sorted(standing, key=lambda one: (gravest_first.index(levels[one.key]), one.valid_from))
    return tuple(Standing(one.key, one.value, one.valid_from, _why(one, known, teller)) for one in ordered)


def _why(span: FindingSpan, known: Known, teller: Teller) -> str:
    reason = known.reason(span.key)
    said = []
    for condition in reason.conditions:
        found = "; ".join(teller.reading(reading) for reading in condition.readings)
        said.append(f"{teller.condition(condition)} ({found})" if found else teller.condition(condition))
    return "; ".join(said)


def portfolio_overview(*, person: Person, teller: Teller, run: Run | None, scope: str) -> PortfolioOverview:
    """The overview of what the person may see; `scope` says in the paper's language how far that reaches."""
    origin = origin_of(run)
    totals = listing.totals(person=person, wanted=listing.Wanted())
    since = origin.as_of - timedelta(days=DAYS_COMPARED)
    moved = findings.migration(person=person, key=CROSSED[1], before=since, after=origin.as_of)
    met = book.crossing(person=person, rows=CROSSED[0], columns=CROSSED[1])
    return PortfolioOverview(
        origin=origin,
        scope=scope,
        customers=totals.customers,
        exposure_gross=totals.exposure_gross,
        exposure_net=totals.exposure_net,
        without_exposure=totals.without_exposure,
        classes=_classes(person, teller),
        crossing={pair: exposure for pair, (_customers, exposure) in met.items()},
        largest_customers=_largest(book.by_customer(person)),
        largest_groups=_largest(book.by_group(person)),
        signals=_signal_lines(person, teller, origin.as_of),
        migration=moved.cells if any(one != findings.NOT_ASSESSED for one, _two in moved.cells) else {},
        since=since,
    )


def _largest(found: book.Concentration) -> Largest:
    rows = [(row["name"], row["exposure"], row["share"]) for row in found.rows[:LARGEST_SHOWN]]
    return Largest(rows, found.shares, found.index)


def _classes(person: Person, teller: Teller) -> list[ClassLine]:
    """The classes of every dimension, in policy's order of dimensions and of words."""
    found = [
        ClassLine(row["key"], row["value"], row["customers"], row["exposure_gross"] or 0)
        for row in findings.value_counts(person=person, kind="dimension")
    ]
    dimensions = [one.name for one in teller.plan.findings() if one.kind == "dimension"]
    words = words_of(teller.pack).texts

    def place(one: ClassLine) -> tuple[int, int, str]:
        ordered = list(words.get(one.dimension, {}))
        return (dimensions.index(one.dimension), ordered.index(one.value) if one.value in ordered else len(ordered),
                one.value)  # fmt: skip

    return sorted((one for one in found if one.dimension in dimensions), key=place)


def _signal_lines(person: Person, teller: Teller, as_of: date) -> list[SignalLine]:
    """The signals that hold for somebody, the gravest first."""
    levels = {item.name: item.level for item in teller.pack.items(as_of) if item.level}
    gravest_first = list(reversed(Level))
    lines = [
        SignalLine(row["key"], levels[row["key"]].value, row["customers"], row["exposure_gross"] or 0)
        for row in findings.value_counts(person=person, kind="signal")
        if row["value"] == "true" and row["key"] in levels
    ]
    return sorted(lines, key=lambda one: (gravest_first.index(Level(one.level)), -one.exposure))
