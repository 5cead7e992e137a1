"""Project models as readable YAML: every key checked, every error told with its place, nothing guessed.

The vocabulary is the one of `kequn.domain.projectfinance.model`; taxes and LPR may name the policy pack instead of a
number. `docs/project-models.md` lists every key.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

import numpy as np

from kequn.domain.errors import KequnError, Place, Refused, Text
from kequn.domain.projectfinance.accruals import BeyondCalendar, add_months
from kequn.domain.projectfinance.checking import STEPS, findings_of
from kequn.domain.projectfinance.drivers import Scenario
from kequn.domain.projectfinance.model import (
    CapitalCost,
    Cost,
    Covenants,
    Limits,
    Loan,
    Maintenance,
    Project,
    Revenue,
    ShareholderLoan,
    WorkingCapital,
)
from kequn.domain.projectfinance.rates import RatePlan, Reset, fixed, reset_on
from kequn.domain.projectfinance.simulation import Uncertainty
from kequn.domain.projectfinance.taxes import TaxRules
from kequn.domain.projectfinance.timeline import Timeline
from kequn.financing.rules import figures, lpr, tax_rules, unverified
from kequn.policy.documents import Complaints, read_yaml, yaml_mapping
from kequn.policy.pack import Pack

T = TypeVar("T")
MODEL = Text("项目模型", "The project model")
CURRENCY = re.compile("[A-Z]{3}")
LONGEST_TEXT = 200_000
_SOME_DAY = date(2000, 1, 1)  # stands for a start that was refused, so that the rest is read
Funding = Literal["pro_rata", "equity_first", "debt_first"]
KEYS = frozenset({
    "project", "currency", "unit", "note", "timeline", "capital", "revenues", "subsidies", "costs", "maintenance",
    "loans", "limits", "funding", "shareholder_loan", "covenants", "working_capital", "tax", "vat_facility_rate",
    "discount_rate", "sizing_case", "scenarios", "simulation",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A project with what a simulation of it draws."""

    project: Project
    uncertainties: tuple[Uncertainty, ...]
    correlation: tuple[tuple[float, ...], ...]
    note: str = ""
    unverified: tuple[str, ...] = ()  # figures of the policy pack that it uses and nobody has checked


def read_model(path: Path, pack: Pack, as_of: date) -> ModelFile:
    """The model of a YAML file; Refused with every error, each with its place in the file."""
    complaints = Complaints()
    body = read_yaml(path, complaints)
    complaints.settle(path.name, MODEL)
    return _read(body, path.name, pack, as_of)


def model_of(text: str, name: str, pack: Pack, as_of: date) -> ModelFile:
    """The model that a YAML text says; `name` is what it is called in the places of its errors."""
    if len(text) > LONGEST_TEXT:
        wanted = f"{LONGEST_TEXT:,}"
        raise Refused(
            Text(f"项目模型 {name} 超过 {wanted} 字", f"the project model {name} has over {wanted} characters")
        )
    complaints = Complaints()
    body = yaml_mapping(text, Place(name), complaints)
    complaints.settle(name, MODEL)
    return _read(body, name, pack, as_of)


def _read(body: Mapping[str, Any], name: str, pack: Pack, as_of: date) -> ModelFile:
    complaints = Complaints()
    found = _Reader(name, complaints, pack, as_of).model(body)
    complaints.settle(name, MODEL)
    assert found is not None  # noqa: S101 - without complaints there is a model
    complaints.findings += findings_of(found.project)
    complaints.settle(name, MODEL)
    return found


class _Reader:
    """One reading of one file."""

    def __init__(self, file: str, complaints: Complaints, pack: Pack, as_of: date) -> None:
        self.file, self.complaints, self.pack, self.as_of = file, complaints, pack, as_of
        self.used: set[str] = set()

    def bad(self, path: str, found: object, zh: str, en: str) -> None:
        self.complaints.add(Place(self.file, column=path), "model", f"应为{zh}", f"expected {en}", found=found)

    # -- plain values -----------------------------------------------------------------------------------

    def section(self, body: Mapping[str, Any], path: str, allowed: Sequence[str] | frozenset[str]) -> Mapping[str, Any]:
        """A mapping with known keys only."""
        if not isinstance(body, Mapping):
            self.bad(path, body, "键值结构", "a mapping of keys")
            return {}
        for key in body:
            if key not in allowed:
                self.bad(f"{path}.{key}" if path else str(key), key, "已知的键：" + " ".join(sorted(allowed)),
                         "a known key: " + " ".join(sorted(allowed)))  # fmt: skip
        return body

    def named(self, body: object, path: str) -> Mapping[str, Any]:
        """A mapping whose keys are names of its own."""
        if body is None or isinstance(body, Mapping):
            return {str(key): value for key, value in (body or {}).items()}
        self.bad(path, body, "名称: 值", "name: value")
        return {}

    def number(self, body: Mapping[str, Any], key: str, path: str, default: float | None = None) -> float:
        found = _finite(body.get(key, default))
        if found is None:
            self.bad(f"{path}.{key}" if path else key, body.get(key, default), "有限的数值", "a number that is finite")
        return 0.0 if found is None else found

    def maybe(self, body: Mapping[str, Any], key: str, path: str) -> float | None:
        return None if body.get(key) is None else self.number(body, key, path)

    def usual(self, body: Mapping[str, Any], key: str, line: Timeline) -> float | None:
        """The figure of the policy pack for a key that a model leaves out; noted among those that it uses."""
        if key in body:
            return None
        self.used.add(key)
        return figures(self.pack, max(self.as_of, line.start)).get(key)

    def text(self, body: Mapping[str, Any], key: str, path: str, default: str | None = None) -> str:
        value = body.get(key, default)
        if not isinstance(value, str) or not value:
            self.bad(f"{path}.{key}", value, "文本", "a text")
            return ""
        return value

    def choice(self, body: Mapping[str, Any], key: str, path: str, known: Sequence[str]) -> str:
        value = body.get(key, known[0])
        if value not in known:
            self.bad(f"{path}.{key}", value, " ".join(known), "one of " + ", ".join(known))
        return str(value)

    def currency(self, body: Mapping[str, Any]) -> str:
        value = body.get("currency") or "CNY"
        if not isinstance(value, str) or not CURRENCY.fullmatch(value):
            self.bad("currency", value, "三位大写字母的 ISO 4217 代码", "a code of ISO 4217 in three capital letters")
        return str(value)

    def flag(self, body: Mapping[str, Any], key: str, path: str, *, default: bool) -> bool:
        value = body.get(key, default)
        if not isinstance(value, bool):
            self.bad(f"{path}.{key}", value, "true 或 false", "true or false")
        return bool(value)

    def numbers(self, body: Mapping[str, Any], key: str, path: str) -> tuple[float, ...]:
        value = body.get(key, ())
        found = [_finite(one) for one in value] if isinstance(value, list | tuple) else [None]
        if None in found:
            self.bad(f"{path}.{key}", value, "有限数值的数列", "a list of numbers that are finite")
            return ()
        return tuple(one for one in found if one is not None)

    def day(self, body: Mapping[str, Any], key: str, path: str) -> date:
        value = body.get(key)
        if not _is_day(value):
            self.bad(f"{path}.{key}", value, "YYYY-MM-DD 日期", "a date as YYYY-MM-DD")
            return _SOME_DAY
        return cast("date", value)

    def rows(self, body: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
        value = body.get(key, [])
        if not isinstance(value, list):
            self.bad(key, value, "列表", "a list")
            return ()
        return tuple(read(one, f"{key}[{place}]") for place, one in enumerate(value))

    # -- the parts of a model -----------------------------------------------------------------------------

    def model(self, body: Mapping[str, Any]) -> ModelFile | None:
        self.section(body, "", KEYS)
        line = self.timeline(body.get("timeline", {}))
        loans = self.rows(body, "loans", lambda one, path: self.loan(one, path, line))
        scenarios = self.named(body.get("scenarios"), "scenarios")
        drawn = self.section(body.get("simulation") or {}, "simulation", ("drivers", "correlation"))
        uncertain = self.rows(drawn, "drivers", self.uncertainty)
        correlation = self.correlation(drawn, len(uncertain))
        if self.complaints.findings:
            return None
        project = Project(
            name=self.text(body, "project", ""), timeline=line,
            capital=self.rows(body, "capital", self.capital),
            revenues=(*self.rows(body, "revenues", self.revenue), *self.rows(body, "subsidies", self.subsidy)),
            costs=self.rows(body, "costs", self.cost),
            maintenance=self.rows(body, "maintenance", self.maintenance),
            loans=loans, limits=self.limits(body.get("limits") or {}),
            funding=cast("Funding", self.choice(body, "funding", "", get_args(Funding))),
            shareholder_loan=self.shareholder_loan(body.get("shareholder_loan")),
            covenants=self.covenants(body.get("covenants") or {}),
            working_capital=self.working_capital(body.get("working_capital") or {}),
            tax=self.tax(body.get("tax") or {}, line),
            vat_facility_rate=self.number(body, "vat_facility_rate", "", 0.0),
            discount_rate=self.number(body, "discount_rate", "", self.usual(body, "discount_rate", line)),
            scenarios={str(name): self.scenario(str(name), one) for name, one in scenarios.items()},
            sizing_case=str(body.get("sizing_case") or ""), unit=str(body.get("unit") or ""),
            currency=self.currency(body),
        )  # fmt: skip
        unchecked = {*unverified(self.pack, self.as_of), "lpr"} & self.used
        return ModelFile(project, uncertain, correlation, str(body.get("note") or ""), tuple(sorted(unchecked)))

    def timeline(self, body: Mapping[str, Any]) -> Timeline:
        keys = ("start", "construction_months", "construction_step_months", "operation_years", "step_months")
        body = self.section(body, "timeline", keys)
        found = Timeline(
            self.day(body, "start", "timeline"),
            round(self.number(body, "construction_months", "timeline")),
            round(self.number(body, "operation_years", "timeline") * 12),
            round(self.number(body, "construction_step_months", "timeline", 1)),
            round(self.number(body, "step_months", "timeline", 6)),
        )
        return found if self.is_sound(found, body) else Timeline(found.start, 12, 12)

    def is_sound(self, line: Timeline, body: Mapping[str, Any]) -> bool:
        """Whether every period of a timeline has its dates; a complaint for each key that keeps it from them."""
        before = len(self.complaints.findings)
        for key, step in (("construction_step_months", line.construction_step), ("step_months", line.step)):
            if step not in STEPS:
                self.bad(f"timeline.{key}", body.get(key), "1、3、6 或 12", "1, 3, 6 or 12")
        for key, months in (
            ("construction_months", line.construction_months),
            ("operation_years", line.operation_months),
        ):
            if months <= 0:
                self.bad(f"timeline.{key}", body.get(key), "大于 0 的数值", "a number above 0")
        if len(self.complaints.findings) == before:
            try:
                add_months(line.start, line.construction_months + line.operation_months)
            except BeyondCalendar:
                self.bad("timeline.operation_years", body.get("operation_years"), "不晚于 9999 年结束",
                         "an end not after the year 9999")  # fmt: skip
        return len(self.complaints.findings) == before

    def capital(self, body: Mapping[str, Any], path: str) -> CapitalCost:
        body = self.section(body, path, ("name", "amount", "spread", "depreciation", "life_years", "salvage", "vat"))
        return CapitalCost(
            self.text(body, "name", path), self.number(body, "amount", path), self.numbers(body, "spread", path),
            self.choice(body, "depreciation", path, ("straight_line", "double_declining", "sum_of_years")),
            round(self.number(body, "life_years", path, 20)), self.number(body, "salvage", path, 0.0),
            self.number(body, "vat", path, 0.0),
        )  # fmt: skip

    def years(self, body: Mapping[str, Any], path: str) -> tuple[float, float]:
        value = body.get("years")
        if value is None:
            return 0.0, 1e9
        found = self.numbers(body, "years", path)
        if len(found) != 2:
            self.bad(f"{path}.years", value, "[起始年, 终止年]", "[from year, until year]")
            return 0.0, 1e9
        return found[0], found[1]

    def revenue(self, body: Mapping[str, Any], path: str) -> Revenue:
        keys = ("name", "volume", "price", "amounts", "indexation", "growth", "ramp", "years", "season", "vat")
        body = self.section(body, path, keys)
        from_year, until_year = self.years(body, path)
        return Revenue(
            self.text(body, "name", path), self.number(body, "volume", path, 0.0),
            self.number(body, "price", path, 0.0), self.numbers(body, "amounts", path),
            self.number(body, "indexation", path, 0.0),
            self.number(body, "growth", path, 0.0), self.numbers(body, "ramp", path), from_year, until_year,
            self.numbers(body, "season", path), self.number(body, "vat", path, 0.0),
        )  # fmt: skip

    def subsidy(self, body: Mapping[str, Any], path: str) -> Revenue:
        body = self.section(body, path, ("name", "amounts", "confirmed"))
        return Revenue(
            self.text(body, "name", path), amounts=self.numbers(body, "amounts", path), is_subsidy=True,
            is_confirmed=self.flag(body, "confirmed", path, default=False),
        )  # fmt: skip

    def cost(self, body: Mapping[str, Any], path: str) -> Cost:
        body = self.section(body, path, ("name", "amount", "share_of_revenue", "amounts", "indexation", "years", "vat"))
        from_year, until_year = self.years(body, path)
        return Cost(
            self.text(body, "name", path), self.number(body, "amount", path, 0.0),
            self.number(body, "share_of_revenue", path, 0.0), self.numbers(body, "amounts", path),
            self.number(body, "indexation", path, 0.0), from_year, until_year, self.number(body, "vat", path, 0.0),
        )  # fmt: skip

    def maintenance(self, body: Mapping[str, Any], path: str) -> Maintenance:
        body = self.section(body, path, ("name", "amount", "years", "indexation", "saved_years"))
        years = tuple(round(one) for one in self.numbers(body, "years", path))
        return Maintenance(
            self.text(body, "name", path), self.number(body, "amount", path), years,
            self.number(body, "indexation", path, 0.0), round(self.number(body, "saved_years", path, 0)),
        )  # fmt: skip

    def loan(self, body: Mapping[str, Any], path: str, line: Timeline) -> Loan:
        keys = ("name", "rate", "tenor_years", "form", "target_dscr", "amount", "grace_years", "balloon_share", "step",
                "custom", "upfront_fee", "commitment_fee", "day_count")  # fmt: skip
        body = self.section(body, path, keys)
        return Loan(
            self.text(body, "name", path), self.rate(body.get("rate"), f"{path}.rate", line),
            self.number(body, "tenor_years", path), self.text(body, "form", path, "sculpted"),
            self.maybe(body, "amount", path),
            self.number(body, "grace_years", path, 0.0), self.number(body, "balloon_share", path, 0.0),
            self.number(body, "step", path, 0.0), self.numbers(body, "custom", path),
            self.number(body, "upfront_fee", path, 0.0), self.number(body, "commitment_fee", path, 0.0),
            self.text(body, "day_count", path, "30/360"),
            target_dscr=self.steps(
                body.get("target_dscr", self.usual(body, "target_dscr", line)), f"{path}.target_dscr"
            ),
        )  # fmt: skip

    def rate(self, value: object, path: str, line: Timeline) -> RatePlan:
        """A number; or LPR of the policy pack with a spread, or margins by date, a reset rule and a floor."""
        plain = _finite(value)
        if plain is not None:
            return fixed(plain)
        if not isinstance(value, Mapping):
            self.bad(path, value, "利率或 {lpr: 5y, spread: ...}", "a rate or {lpr: 5y, spread: ...}")
            return fixed(0.0)
        body = self.section(value, path, ("lpr", "spread", "margins", "reset", "floor"))
        self.used.add("lpr")
        series = lpr(self.pack, self.choice(body, "lpr", path, ("5y", "1y")), self.as_of)
        rule = self.choice(body, "reset", path, ("1_january", "anniversary", "listed"))
        until = line.operation_dates()[-1]
        margins = body.get("margins") or {line.start: self.number(body, "spread", path, 0.0)}
        if not isinstance(margins, Mapping) or not all(
            _is_day(day) and _finite(one) is not None for day, one in margins.items()
        ):
            self.bad(f"{path}.margins", margins, "日期: 加点", "date: margin")
            return fixed(0.0)
        if not series or series[0][0] > line.start:
            self.complaints.add(
                Place(self.file, column=path), "model", f"{self.as_of} 时没有 {line.start} 已公布的 LPR",
                f"at {self.as_of} no LPR is known that was published by {line.start}",
            )  # fmt: skip
            return fixed(0.0)
        try:
            base = reset_on(series, line.start, until, cast("Reset", rule))
        except KequnError as refused:
            self.complaints.add(Place(self.file, column=path), "model", refused.text.zh, refused.text.en)
            return fixed(0.0)
        return RatePlan(base, tuple(sorted(margins.items())), self.maybe(body, "floor", path))

    def steps(self, value: object, path: str) -> tuple[tuple[float, float], ...]:
        plain = _finite(value)
        if plain is not None:
            return ((0.0, plain),)
        if isinstance(value, Mapping) and all(_finite(one) is not None for pair in value.items() for one in pair):
            return tuple(sorted((float(year), float(one)) for year, one in value.items()))
        self.bad(path, value, "数值或 {年: 值}", "a number or {year: value}")
        return ((0.0, 1.0),)

    def limits(self, body: Mapping[str, Any]) -> Limits:
        keys = ("max_gearing", "min_llcr", "max_average_life", "max_amount")
        body = self.section(body, "limits", keys)
        return Limits(*(self.maybe(body, key, "limits") for key in keys))

    def shareholder_loan(self, body: Mapping[str, Any] | None) -> ShareholderLoan | None:
        if body is None:
            return None
        body = self.section(body, "shareholder_loan", ("share", "rate"))
        return ShareholderLoan(*(self.number(body, key, "shareholder_loan") for key in ("share", "rate")))

    def covenants(self, body: Mapping[str, Any]) -> Covenants:
        numbers = ("dsra_months", "dsrf_limit", "dsrf_rate", "sweep_share", "lockup_dscr", "default_dscr", "cure_dscr",
                   "cure_limit")  # fmt: skip
        body = self.section(body, "covenants", (*numbers, "cures", "prefunded", "order"))
        given = {key: self.number(body, key, "covenants", 0.0) for key in numbers}
        order = body.get("order") or []
        if not isinstance(order, list) or not all(isinstance(step, str) for step in order):
            self.bad("covenants.order", order, "步骤名称的列表", "a list of names of steps")
            order = []
        return Covenants(
            **given, cures=round(self.number(body, "cures", "covenants", 0)),
            is_dsra_prefunded=self.flag(body, "prefunded", "covenants", default=True),
            order=tuple(order),
        )  # fmt: skip

    def working_capital(self, body: Mapping[str, Any]) -> WorkingCapital:
        keys = ("receivable_days", "payable_days")
        body = self.section(body, "working_capital", keys)
        return WorkingCapital(*(self.number(body, key, "working_capital", 0.0) for key in keys))

    def tax(self, body: Mapping[str, Any], line: Timeline) -> TaxRules:
        """A regime of the policy pack, with or without a holiday; or a rate and the years of loss carry-forward."""
        body = self.section(body, "tax", ("regime", "holiday", "small", "rate", "loss_years"))
        if "rate" in body or not body:
            years = round(self.number(body, "loss_years", "tax", 0))
            return TaxRules(self.number(body, "rate", "tax", 0.0), years)
        regime, holiday = str(body.get("regime", "standard")), str(body.get("holiday") or "")
        self.used |= {f"tax_rate_{regime}", f"loss_years_{regime}", "loss_years_standard"}
        self.used |= {f"{holiday}_{part}" for part in ("free_years", "half_years", "half_share")} if holiday else set()
        self.used |= {"small_profit_limit", "small_profit_rate"} if body.get("small") else set()
        try:
            return tax_rules(
                self.pack, max(self.as_of, line.start), regime=self.text(body, "regime", "tax", "standard"),
                holiday=str(body.get("holiday") or ""), small=self.flag(body, "small", "tax", default=False),
            )  # fmt: skip
        except KequnError as refused:
            self.complaints.add(Place(self.file, column="tax"), "model", refused.text.zh, refused.text.en)
            return TaxRules(0.0)

    def scenario(self, name: str, body: Mapping[str, Any]) -> Scenario:
        given = self.named(body, f"scenarios.{name}")
        return Scenario(name, {str(key): self.number(given, key, f"scenarios.{name}") for key in given})

    def uncertainty(self, body: Mapping[str, Any], path: str) -> Uncertainty:
        body = self.section(body, path, ("driver", "kind", "a", "b", "c"))
        return Uncertainty(
            self.text(body, "driver", path), self.text(body, "kind", path, "normal"), self.number(body, "a", path),
            self.number(body, "b", path), self.number(body, "c", path, 0.0),
        )  # fmt: skip

    def correlation(self, body: Mapping[str, Any], size: int) -> tuple[tuple[float, ...], ...]:
        value = body.get("correlation")
        if value is None:
            return tuple(tuple(float(one) for one in row) for row in np.eye(size))
        rows = [row for row in value if isinstance(row, list)] if isinstance(value, list) else []
        found = tuple(tuple(one for one in map(_finite, row) if one is not None) for row in rows)
        is_square = len(rows) == size and all(
            len(row) == len(kept) == size for row, kept in zip(rows, found, strict=True)
        )
        if not is_square or len(value) != size:
            self.bad("simulation.correlation", value, f"{size}×{size} 矩阵", f"a matrix of {size} by {size} numbers")
            return ()
        return found


def _finite(value: object) -> float | None:
    """The value as a finite number; None where it is none, or larger than can be reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond what a float holds
        return None


def _is_day(value: object) -> bool:
    """Whether a value is a day, and not a moment of one."""
    return isinstance(value, date) and not isinstance(value, datetime)
