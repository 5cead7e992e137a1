"""The policy numbers of project finance, read from a pack as of a date: taxes, shares of capital, holidays, LPR."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from kequn.domain.errors import Language, Misuse, Text
from kequn.domain.projectfinance.calendars import Calendar
from kequn.domain.projectfinance.rates import Dated
from kequn.domain.projectfinance.taxes import TaxRules
from kequn.domain.structuring.limits import ConcentrationShares
from kequn.policy.documents import Standard
from kequn.policy.pack import Pack

TABLE = "project_finance"


def figures(pack: Pack, as_of: date) -> dict[str, float]:
    """The named figures in force at a date; before the first edition the first is read."""
    rows = pack.standards.at(TABLE, as_of) or _first(pack, TABLE).rows
    return {row["name"]: float(row["value"]) for row in rows}


def unverified(pack: Pack, as_of: date) -> tuple[str, ...]:
    """Names of the figures that nobody has checked against the official text."""
    rows = pack.standards.at(TABLE, as_of) or _first(pack, TABLE).rows
    return tuple(row["name"] for row in rows if row["status"] != "verified")


def said(pack: Pack, names: Sequence[str], language: Language) -> list[str]:
    """Figures of the pack in words, in their order; LPR by its own name."""
    rows = (row for edition in pack.standards.editions[TABLE] for row in edition.rows)
    labels = {"lpr": Text("LPR", "LPR")} | {row["name"]: Text(row["zh"], row["en"]) for row in rows}
    return [labels[name].in_language(language) if name in labels else name for name in names]


def concentration_shares(pack: Pack, as_of: date) -> ConcentrationShares:
    """The largest shares of capital that one customer and its group may take."""
    found = figures(pack, as_of)
    return ConcentrationShares(
        found["single_loan_share"], found["single_exposure_share"], found["group_exposure_share"]
    )


def china_calendar(pack: Pack, as_of: date) -> Calendar:
    """The working days of the interbank market: public holidays, and weekend days worked to make up for them.

    Of the list in force at a date; before the first edition the first is read. A list does not say when each year's
    holidays were announced, so that one list is read whole.
    """
    rows = pack.standards.at("holidays", as_of) or _first(pack, "holidays").rows
    days: dict[str, set[date]] = {"holiday": set(), "worked": set()}
    for row in rows:
        day, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
        while day <= last:
            days[row["kind"]].add(day)
            day += timedelta(days=1)
    known = date(max(int(row["from"][:4]) for row in rows), 12, 31)
    return Calendar("china_interbank", frozenset(days["holiday"]), frozenset(days["worked"]), known)


def lpr(pack: Pack, tenor: str, as_of: date) -> Dated:
    """The LPR of a tenor (`1y` or `5y`) by date, as far as it was published at a date; a fraction per annum.

    A loan that floats on it resets within what is known then, and keeps the last known value ever after.
    """
    rows = pack.standards.at("lpr", as_of)
    found = sorted((date.fromisoformat(row["date"]), float(row["value"])) for row in rows if row["tenor"] == tenor)
    return tuple(one for one in found if one[0] <= as_of)


def tax_rules(
    pack: Pack, as_of: date, *, regime: str, holiday: str = "", small: bool = False, loss_years: int | None = None
) -> TaxRules:
    """The income tax of a regime of the pack (`standard`, `high_tech`), with or without a holiday of it."""
    found = figures(pack, as_of)
    rate = _of(found, f"tax_rate_{regime}", "税制", "tax regime")
    years = found.get(f"loss_years_{regime}", found["loss_years_standard"]) if loss_years is None else loss_years
    shares: tuple[float, ...] = ()
    if holiday:
        free = int(_of(found, f"{holiday}_free_years", "税收优惠", "tax holiday"))
        half = int(found[f"{holiday}_half_years"])
        shares = (0.0,) * free + (found[f"{holiday}_half_share"],) * half
    limit = (found["small_profit_limit"], found["small_profit_rate"]) if small else (0.0, 0.0)
    return TaxRules(rate, int(years), shares, *limit)


def _of(found: Mapping[str, float], name: str, zh: str, en: str) -> float:
    if name not in found:
        raise Misuse(Text(f"政策中没有这一{zh}：{name}", f"policy has no such {en}: {name}"))
    return found[name]


def _first(pack: Pack, key: str) -> Standard:
    return min(pack.standards.editions[key], key=lambda edition: edition.heading.in_force)
