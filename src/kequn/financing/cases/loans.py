"""Cases of dated loans: repayment schedules and day counts."""

from datetime import date
from typing import Any

from kequn.domain.projectfinance.calendars import WEEKENDS, Calendar
from kequn.domain.projectfinance.daycounts import COUNTS, days, year_fraction
from kequn.domain.projectfinance.loan_schedule import Instalment, LoanTerms, level_of, loan_schedule
from kequn.domain.projectfinance.rates import RatePlan, fixed, reset_on, rows_of
from kequn.domain.projectfinance.rounding import rounded
from kequn.financing.cases.answers import Answer
from kequn.financing.cases.inputs import CaseRefused, Inputs, as_date, bad

_BALLOONS = ("balloon", "annuity_balloon")


def day_count(inputs: Inputs) -> Answer:
    """Days and year fraction of pairs of dates by every day count."""
    rows = []
    for place, pair in enumerate(inputs.rows("pairs", 2)):
        start, end = (as_date(f"pairs[{place}]", day) for day in pair)
        row: dict[str, Any] = {"start": start.isoformat(), "end": end.isoformat()}
        for name in COUNTS:
            row[name] = {"days": days(name, start, end), "yf": year_fraction(name, start, end)}
        rows.append(row)
    return {"rows": rows}


def repayment_schedule(inputs: Inputs, china: Calendar) -> Answer:
    """The instalments of a dated loan."""
    terms = _terms(inputs, china)
    rows = loan_schedule(terms)
    answer: Answer = {
        "schedule": [_row(row, terms) for row in rows],
        "total_interest": sum(row.interest for row in rows),
        "total_principal": sum(row.principal for row in rows),
    }
    balloon = terms.balloon_share * terms.principal
    if terms.form in _BALLOONS:
        answer["balloon"] = balloon
    if "annuity" in terms.form:
        level = level_of(rows, balloon)
        if level is not None:
            answer["level_payment"] = level
    if inputs.has("rounding"):
        answer["schedule_in_cents"] = _cents(inputs, rows)
    adjustment = inputs.text("pay_adjustment", "none")
    if inputs.has("pay_calendar") and adjustment != "none":
        calendar = _calendar(inputs.text("pay_calendar"), china)
        pays = [calendar.adjusted(row.end, _adjustment("pay_adjustment", adjustment)) for row in rows]
        answer[f"pay_dates_{adjustment}_china"] = [pay.isoformat() for pay in pays]
        beyond = calendar.unknown(pays)
        if beyond:
            answer["holidays_unknown_from"] = beyond[0].isoformat()
    return answer


def _terms(inputs: Inputs, china: Calendar) -> LoanTerms:
    form = inputs.text("mode")
    start = inputs.day("start")
    count = inputs.text("day_count")
    if count not in COUNTS:
        raise bad("day_count", count, " ".join(COUNTS), ", ".join(COUNTS))
    maturity = inputs.day("maturity") if inputs.has("maturity") else None
    return LoanTerms(
        principal=inputs.above("principal", 0.0),
        start=start,
        frequency=inputs.text("frequency"),
        form=form,
        rates=_rates(inputs, start, maturity),
        day_count=count,
        maturity=maturity,
        periods=None if maturity is not None else inputs.count("periods"),
        settlement=inputs.text("settlement", "anniversary"),
        end_of_month=bool(inputs.values.get("end_of_month", False)),
        accrual_adjustment=_adjustment("accrual_adjustment", inputs.text("accrual_adjustment", "none")),
        calendar=_calendar(inputs.text("pay_calendar", "weekends"), china),
        grace_periods=inputs.count("grace_periods", 0),
        balloon_share=inputs.share("balloon_share", 0.0),
        step=inputs.above("step", -1.0, 0.0),
        custom=list(inputs.numbers("principal_shares")) if inputs.has("principal_shares") else None,
    )


def _rates(inputs: Inputs, start: date, maturity: date | None) -> RatePlan:
    kind = inputs.text("rate_kind", "lpr_floating" if inputs.has("lpr_resets") else "fixed")
    if kind == "fixed":
        return fixed(inputs.rate("annual_rate"))
    if kind != "lpr_floating":
        raise bad("rate_kind", kind, "fixed 或 lpr_floating", "fixed or lpr_floating")
    base = tuple(
        sorted(
            (as_date(f"lpr_resets[{place}]", day), Inputs({"rate": rate}).rate("rate"))
            for place, (day, rate) in enumerate(inputs.rows("lpr_resets", 2))
        )
    )
    if base[0][0] > start:
        raise CaseRefused(
            "no_rate", bad("lpr_resets", base[0][0].isoformat(), "不晚于起息日", "not after the start").text
        )
    rule = inputs.text("reset_rule", "listed")
    if rule != "listed":
        base = reset_on(base, start, maturity or base[-1][0], rule)  # type: ignore[arg-type]  # refused there
    floor = inputs.number("rate_floor") if inputs.has("rate_floor") else None
    return RatePlan(base, ((date.min, inputs.number("spread", 0.0)),), floor)


def _adjustment(name: str, value: str) -> Any:
    if value not in ("none", "following", "modified_following", "preceding"):
        raise bad(
            name, value, "none following modified_following preceding", "none, following, modified_following, preceding"
        )
    return value


def _calendar(name: str, china: Calendar) -> Calendar:
    if name not in ("china_interbank", "weekends", "none"):
        raise bad("pay_calendar", name, "china_interbank 或 weekends", "china_interbank or weekends")
    return china if name == "china_interbank" else WEEKENDS


def _cents(inputs: Inputs, rows: tuple[Instalment, ...]) -> list[dict[str, str]]:
    """The schedule in cents, as decimals written out; the last instalment takes the rest."""
    if inputs.text("rounding") != "cent":
        raise bad("rounding", inputs.text("rounding"), "cent", "cent")
    names = ("opening", "interest", "principal", "payment", "closing")
    return [{name: str(getattr(row, name)) for name in names} for row in rounded(rows)]


def _row(row: Instalment, terms: LoanTerms) -> Answer:
    return {
        "start": row.start.isoformat(), "end": row.end.isoformat(), "pay": row.end.isoformat(), "days": row.days,
        "year_fraction": row.year_fraction, "opening": row.opening, "interest": row.interest,
        "principal": row.principal, "payment": row.payment, "closing": row.closing,
        "parts": rows_of(row.parts, terms.day_count),
    }  # fmt: skip
