"""What the financial analysis of one customer is made from: plain values, gathered by whoever knows the records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kequn.domain.definitions import Plan
from kequn.domain.rules.tree import Value
from kequn.policy.pack import Pack

Answers = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Origin:
    """The three parents of every finding on the paper. `run` is None where no run was published yet."""

    run: int | None
    as_of: date
    pack: str
    pack_digest: str
    program: str


@dataclass(frozen=True, slots=True)
class Period:
    """One statement: its items in fen as handed in, and what policy computes up to it."""

    end: date
    flows: str
    items: Mapping[str, int | None]
    answers: Answers


@dataclass(frozen=True, slots=True)
class FacilityLine:
    """Amounts in fen of yuan."""

    facility_id: str
    product: str
    security: str
    committed: int | None
    drawn: int | None
    off_balance: int | None
    margin_deposit: int | None
    maturity: date | None
    days_past_due: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding as published: since when it stands. `reason` says why in the reader's language, for signals."""

    key: str
    value: str
    since: date
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CustomerAnalysis:
    """Everything the paper says. Periods run from the oldest to the newest; exposure is that of the last run."""

    code: str
    name: str
    uscc: str
    group: str
    manager: str
    origin: Origin
    pack: Pack
    plan: Plan
    answers: Answers  # what policy computes
    facts: Answers  # what was handed in: the customer's own and those of the newest statement
    basis: tuple[str, str] | None
    periods: tuple[Period, ...]
    facilities: tuple[FacilityLine, ...]
    standing: tuple[Standing, ...]
    exposure_gross: int | None
    exposure_net: int | None
