"""What is wrong with a project model, and what is weak in it: plain findings that name the line and the year.

A model with errors is refused with all of them at once. Warnings stand beside the results of a sound one.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import MAXYEAR

from kequn.domain.errors import Finding, Place, Refused, Text
from kequn.domain.projectfinance.drivers import DRIVERS
from kequn.domain.projectfinance.model import Loan, Project
from kequn.domain.projectfinance.repayment import FORMS
from kequn.domain.projectfinance.run import Run

STEPS = (1, 3, 6, 12)
LONGEST_LIFE = 200  # years; nothing that is built is written off over more


def check(project: Project) -> None:
    """Refuse a model that cannot be worked out, with every finding."""
    found = tuple(findings_of(project))
    if found:
        raise Refused(Text(f"项目模型有 {len(found)} 处错误", f"the project model has {len(found)} error(s)"), found)


def findings_of(project: Project) -> Iterator[Finding]:
    """Everything that keeps a model from being worked out."""
    numbers = list(_not_numbers(project, ""))
    if numbers:
        yield from numbers
        return
    line = project.timeline
    for name, months, step in (
        ("construction", line.construction_months, line.construction_step),
        ("operation", line.operation_months, line.step),
    ):
        if step not in STEPS:
            yield _found(
                "timeline", name, f"期长 {step} 个月须为 1、3、6 或 12", f"a period of {step} months; 1, 3, 6 or 12"
            )
        elif months <= 0 or months % step:
            yield _found(
                "timeline", name, f"共 {months} 个月，须为 {step} 的正整数倍",
                f"{months} months in all; expected a whole number of periods of {step} months",
            )  # fmt: skip
    if line.start.year + (line.construction_months + max(0, line.operation_months)) // 12 >= MAXYEAR:
        yield _found("timeline", "operation", f"超出 {MAXYEAR} 年", f"goes beyond the year {MAXYEAR}")
        return
    if project.discount_rate <= -1.0:
        yield _found(
            "rate", "discount_rate", f"{project.discount_rate:g}，须大于 -1",
            f"found {project.discount_rate:g}; expected above -1",
        )  # fmt: skip
    if line.step in STEPS and line.construction_step in STEPS and line.periods > 0:
        yield from _costs(project)
        yield from _maintenance(project)
        yield from _revenues(project)
        yield from _loans(project)
        yield from _agreements(project)
        yield from _taxes(project)
        yield from _scenarios(project)


def _found(code: str, line: str, zh: str, en: str, year: int | None = None) -> Finding:
    of_year = ("", "") if year is None else (f"第 {year + 1} 年", f"year {year + 1}")
    text = Text(f"{line}：{of_year[0]}{zh}", f"{line}: {of_year[1] + ', ' if of_year[1] else ''}{en}")
    return Finding(f"project.{code}", text, Place(column=line))


def _not_numbers(value: object, path: str) -> Iterator[Finding]:
    """Every NaN or infinity among the numbers of a model, by its path."""
    if is_dataclass(value):
        name = str(getattr(value, "name", "")) or path
        for one in fields(value):
            yield from _not_numbers(getattr(value, one.name), f"{name}.{one.name}" if path or name else one.name)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _not_numbers(one, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _not_numbers(one, f"{path}[{place}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield _found("number", path, f"不是有限数值：{value}", f"no finite number: {value}")


def _costs(project: Project) -> Iterator[Finding]:
    periods = project.timeline.construction_periods
    if not project.capital or sum(one.amount for one in project.capital) <= 0.0:
        yield _found("construction", "capital", "建设期没有投资支出", "construction is empty: no capital cost")
    for one in project.capital:
        yield from _at_least(one.name, {"amount": one.amount, "vat_rate": one.vat_rate})
        yield from _shares(one.name, {"salvage": one.salvage})
        if not 1 <= one.life_years <= LONGEST_LIFE:
            yield _found(
                "life", one.name, f"折旧年限 {one.life_years}，须为 1 至 {LONGEST_LIFE} 年",
                f"a life of {one.life_years} years; from 1 to {LONGEST_LIFE}",
            )  # fmt: skip
        if one.spread and (len(one.spread) != periods or abs(sum(one.spread) - 1.0) > 1e-9 or min(one.spread) < 0.0):
            yield _found(
                "spread", one.name, f"投资进度须为 {periods} 个非负比例，合计为 1",
                f"the spread needs {periods} shares, none negative, that sum to 1; found {len(one.spread)}, "
                f"sum {sum(one.spread):g}",
            )  # fmt: skip
    for cost in project.costs:
        yield from _at_least(cost.name, {"amount": cost.amount, "share_of_revenue": cost.share_of_revenue,
                                         "vat_rate": cost.vat_rate})  # fmt: skip
        yield from _years_at_least(cost.name, cost.amounts)
        yield from _growing(cost.name, {"indexation": cost.indexation})


def _maintenance(project: Project) -> Iterator[Finding]:
    """Overhauls stand in years of operation, and are saved up within them."""
    years = int(project.timeline.years_of_operation()[-1]) + 1
    for one in project.maintenance:
        yield from _at_least(one.name, {"amount": one.amount})
        yield from _growing(one.name, {"indexation": one.indexation})
        for year in one.years:
            if not 0 <= year < years:
                yield _found(
                    "years", one.name, f"运营共 {years} 年，没有这一年", f"there are {years} years of operation", year
                )
        if not 0 <= one.saved_years <= years:
            yield _found(
                "years", one.name, f"提前 {one.saved_years} 年储备，须为 0 至 {years} 年",
                f"saved up over {one.saved_years} years; from 0 to {years}",
            )  # fmt: skip


def _revenues(project: Project) -> Iterator[Finding]:
    per_year = project.timeline.per_year
    if not any(not one.is_subsidy for one in project.revenues):
        yield _found("revenue", "revenues", "没有收入", "there is no revenue at all")
    for one in project.revenues:
        yield from _at_least(one.name, {"price": one.price, "volume": one.volume, "vat_rate": one.vat_rate})
        yield from _growing(one.name, {"indexation": one.indexation, "growth": one.growth})
        yield from _years_at_least(one.name, one.amounts)
        yield from _years_at_least(f"{one.name}.ramp", one.ramp)
        if one.season and (len(one.season) != per_year or abs(sum(one.season) - 1.0) > 1e-9 or min(one.season) < 0.0):
            yield _found(
                "season", one.name, f"季节比例须为 {per_year} 个，合计为 1",
                f"the season needs {per_year} shares, none negative, that sum to 1",
            )  # fmt: skip
        if one.from_year >= one.until_year:
            yield _found(
                "years", one.name, f"起始年 {one.from_year:g} 不早于终止年 {one.until_year:g}",
                f"it begins in year {one.from_year:g} and ends before {one.until_year:g}",
            )  # fmt: skip


def _at_least(line: str, values: dict[str, float]) -> Iterator[Finding]:
    for name, value in values.items():
        if value < 0.0:
            yield _found("negative", line, f"{name} 为负：{value:g}", f"a negative {name}: {value:g}")


def _shares(line: str, values: dict[str, float]) -> Iterator[Finding]:
    for name, value in values.items():
        if not 0.0 <= value <= 1.0:
            yield _found("share", line, f"{name} 须在 0 与 1 之间：{value:g}", f"{name} from 0 to 1; found {value:g}")


def _rates(line: str, values: dict[str, float]) -> Iterator[Finding]:
    """A rate is a fraction a year: 4.5 for 4.5 % is a slip of the pen."""
    for name, value in values.items():
        if not -1.0 < value < 1.0:
            yield _found(
                "rate", line, f"{name} 为小数，须在 -1 与 1 之间：{value:g}（4.5 % 写作 0.045）",
                f"{name} is a fraction between -1 and 1, 4.5 % being 0.045; found {value:g}",
            )  # fmt: skip


def _growing(line: str, values: dict[str, float]) -> Iterator[Finding]:
    for name, value in values.items():
        if value <= -1.0:
            yield _found("rate", line, f"{name} 须大于 -1：{value:g}", f"{name} above -1; found {value:g}")


def _years_at_least(line: str, values: Iterable[float]) -> Iterator[Finding]:
    for year, value in enumerate(values):
        if value < 0.0:
            yield _found("negative", line, f"金额为负：{value:g}", f"a negative amount: {value:g}", year)


def _loans(project: Project) -> Iterator[Finding]:
    life = project.timeline.operation_months / 12.0
    names = [one.name for one in project.loans]
    if len(set(names)) != len(names):
        yield _found("loan", "loans", "贷款重名", "two loans have the same name")
    for one in project.loans:
        if one.tenor_years > life:
            yield _found(
                "tenor", one.name, f"期限 {one.tenor_years:g} 年超过运营期 {life:g} 年",
                f"a tenor of {one.tenor_years:g} years goes beyond the {life:g} years of operation",
            )  # fmt: skip
        yield from _terms(one)
    limits = project.limits
    if limits.max_gearing is not None and not 0.0 <= limits.max_gearing < 1.0:
        yield _found(
            "gearing", "max_gearing", f"负债比例 {limits.max_gearing:g}", f"{limits.max_gearing:g}; from 0 to below 1"
        )
    for name, limit in (("min_llcr", limits.min_llcr), ("max_average_life", limits.max_average_life)):
        if limit is not None and limit <= 0.0:
            yield _found("limit", name, f"须大于 0：{limit:g}", f"above nil; found {limit:g}")
    if limits.max_amount is not None:
        yield from _at_least("limits", {"max_amount": limits.max_amount})


def _agreements(project: Project) -> Iterator[Finding]:
    """Covenants, the owners' loan, working capital and the VAT facility."""
    given, days = project.covenants, project.working_capital
    named = ("dsra_months", "dsrf_limit", "lockup_dscr", "default_dscr", "cure_dscr", "cure_limit", "cures")
    yield from _at_least("covenants", {name: float(getattr(given, name)) for name in named})
    yield from _shares("covenants", {"sweep_share": given.sweep_share})
    if project.shareholder_loan is not None:
        yield from _shares("shareholder_loan", {"share": project.shareholder_loan.share})
        yield from _rates("shareholder_loan", {"rate": project.shareholder_loan.rate})
    yield from _at_least(
        "working_capital", {"receivable_days": days.receivable_days, "payable_days": days.payable_days}
    )
    yield from _rates("vat_facility", {"rate": project.vat_facility_rate})
    yield from _rates("covenants", {"dsrf_rate": given.dsrf_rate})


def _taxes(project: Project) -> Iterator[Finding]:
    given = project.tax
    yield from _shares("tax", {"rate": float(given.rate), "small_rate": given.small_rate})
    yield from _at_least("tax", {"loss_years": float(given.loss_years), "small_limit": given.small_limit})
    for year, share in enumerate(given.holiday):
        if not 0.0 <= share <= 1.0:
            yield _found(
                "share", "tax", f"优惠比例须在 0 与 1 之间：{share:g}", f"a share from 0 to 1; {share:g}", year
            )


def _terms(one: Loan) -> Iterator[Finding]:
    if one.tenor_years <= 0.0 or not 0.0 <= one.grace_years < one.tenor_years:
        yield _found(
            "grace", one.name, f"宽限期 {one.grace_years:g} 年须短于期限 {one.tenor_years:g} 年",
            f"a grace of {one.grace_years:g} years must be shorter than the tenor of {one.tenor_years:g} years",
        )  # fmt: skip
    if one.form not in ("sculpted", *FORMS):
        known = ", ".join(("sculpted", *FORMS))
        yield _found(
            "form", one.name, f"没有还款方式 {one.form}；可选 {known}", f"no form {one.form}; there is {known}"
        )
    if any(value <= 0.0 for _, value in one.target_dscr) or not one.target_dscr:
        yield _found("dscr", one.name, "目标偿债备付率须大于 0", "the target DSCR must be above nil")
    yield from _shares(
        one.name,
        {"balloon_share": one.balloon_share, "upfront_fee": one.upfront_fee, "commitment_fee": one.commitment_fee},
    )
    yield from _growing(one.name, {"step": one.step})
    for rate in (*(rate for _, rate in (*one.rates.base, *one.rates.margin)), one.rates.floor or 0.0):
        yield from _rates(one.name, {"rate": rate})
    if one.amount is not None:
        yield from _at_least(one.name, {"amount": one.amount})


def _scenarios(project: Project) -> Iterator[Finding]:
    lines = project.line_names
    for name, scenario in project.scenarios.items():
        for driver in scenario.changes:
            kind, _, line = driver.partition(".")
            if driver not in DRIVERS and not (kind in ("price", "volume", "cost") and line in lines):
                known = ", ".join(DRIVERS)
                yield _found(
                    "driver", name, f"没有驱动因素 {driver}；可选 {known}", f"no driver {driver}; there is {known}"
                )
    if project.sizing_case and project.sizing_case not in ("base", *project.scenarios):
        yield _found(
            "scenario", "sizing_case", f"没有情景 {project.sizing_case}", f"there is no scenario {project.sizing_case}"
        )


def warnings_of(run: Run, column: int = 0) -> tuple[Finding, ...]:
    """What is weak in one scenario of a run: the first default and lock-up, years of negative cash, years that cannot
    serve the debt, debt left over.
    """
    line, found = run.project.timeline, []
    years, unit = line.years_of_operation(), f" {run.project.unit}".rstrip()
    for year in range(int(years[-1]) + 1):
        cash = float((run.cfads + run.waterfall.from_mra)[years == year, column].sum())
        if cash < 0.0:
            found.append(
                _found("negative_cash", "CFADS", f"现金流为负：{cash:,.2f}{unit}", f"negative: {cash:,.2f}{unit}", year)
            )
        unpaid = float(run.waterfall.unpaid[years == year, column].sum())
        if unpaid > 1e-6:
            text = (f"有 {unpaid:,.2f}{unit} 本息未付", f"{unpaid:,.2f}{unit} of the debt service is unpaid")
            found.append(_found("unpaid", run.plan.loans[0].name, *text, year))
    found += [
        _found("short", run.plan.loans[0].name, "测算情景的现金流不足以按目标还本，不得再提款",
               "the sizing case cannot bear its target, and the loan is not drawn again", year)
        for year in sorted({int(years[period]) for period in run.plan.periods_short})
    ]  # fmt: skip
    for name, loan in run.waterfall.loans.items():
        left = float(loan.closing[-1, column])
        if left > 1e-6 * max(1.0, float(loan.opening[0, column])):
            found.append(
                _found(
                    "left",
                    name,
                    f"项目终了仍欠 {left:,.2f}{unit}",
                    f"{left:,.2f}{unit} is owed at the end of the project",
                )
            )
    return (*_breaches(run, column), *found)


def _breaches(run: Run, column: int) -> Iterator[Finding]:
    """The first period of a default and of a lock-up while the senior loan is owed, each with its date and cover."""
    if not run.plan.loans:
        return
    line, flow, given = run.project.timeline, run.waterfall, run.project.covenants
    owed = flow.loans[run.plan.loans[0].name].opening[:, column] > 0.0
    for code, flags, level, zh, en in (
        ("default", flow.is_in_default, given.default_dscr, "违约", "default"),
        ("lockup", flow.is_locked_up, given.lockup_dscr, "锁定分配", "lock-up"),
    ):
        held = (flags[:, column] & owed).nonzero()[0]
        if len(held):
            first, count = int(held[0]), len(held)
            cover, end = float(flow.tested_dscr[first, column]), line.last_days()[first]
            years = _years_said(sorted({int(year) + 1 for year in line.years_of_operation()[held]}))
            digits = 2 if f"{cover:.2f}" != f"{level:.2f}" else 4
            why = (f"偿债备付率 {cover:.{digits}f} 低于 {level:.2f}", f"DSCR {cover:.{digits}f} below {level:.2f}")
            if cover >= level:
                why = ("准备金不足或有欠款", "a reserve is not full or something is owed")
            yield _found(
                code, "DSCR", f"截至 {end} 的期间首次{zh}：{why[0]}；共 {count} 期，在第 {years} 年",
                f"{en} first in the period to {end}: {why[1]}; {count} period(s) in all, in year(s) {years}",
                int(line.years_of_operation()[first]),
            )  # fmt: skip


def _years_said(years: list[int]) -> str:
    """Years with those that follow one another drawn together.

    >>> _years_said([1, 2, 3, 7])
    '1–3, 7'
    """
    spans: list[list[int]] = []
    for year in years:
        if spans and spans[-1][-1] == year - 1:
            spans[-1] = [spans[-1][0], year]
        else:
            spans.append([year])
    return ", ".join("–".join(str(year) for year in span) for span in spans)
