# ruff: noqa: E501, PERF401 - a table reads better in whole lines
"""Sixty-six files as people make them: layout, kind of file, encoding and units vary; every cell has its meaning by hand."""

from dataclasses import dataclass, field

from tests.files import columns as c
from tests.files.columns import AMOUNTS, DATES, Column


@dataclass(frozen=True)
class Template:
    """One file. `unit` is how the amounts are stated, `factor` how many yuan that is; both by hand."""

    name: str
    columns: tuple[Column, ...]
    end: str = ".xlsx"
    unit: str = "万元"
    factor: int = 10_000
    where: str = "header"  # header, slash, title, bracket, unit_row, group, cells, wish
    layout: str = "plain"
    encoding: str = "utf-8"
    delimiter: str = ","
    lang: str = "zh"
    sheet: str = "customers"
    epoch: str = "1900"
    rate_unit: str = ""
    number_unit: str = ""
    percent_format: bool = False
    take_hidden: bool = False
    hidden: tuple[int, ...] = field(default=())  # rows of the body, from 0


def _many() -> list[Template]:
    made: list[Template] = []
    units = (
        ("元", 1),
        ("千元", 1000),
        ("万元", 10_000),
        ("百万元", 1_000_000),
        ("亿元", 100_000_000),
        ("人民币万元", 10_000),
    )
    ways = ("header", "slash", "title", "bracket", "unit_row", "group")
    blocks = (
        ("grouped", "iso"),
        ("signs", "chinese"),
        ("gaps", "bad"),
        ("bad", "part"),
        ("typed", "gaps"),
        ("mixed", "iso"),
    )
    for (unit, factor), way, (amounts, dates) in zip(units, ways, blocks, strict=True):
        made.append(
            Template(
                f"{way}-{factor}", (c.group_revenue(AMOUNTS[amounts]), c.founded(DATES[dates]), c.employees(c.PERSONS), c.listed(c.TRUTHS)),
                unit=unit, factor=factor, where=way,
            )
        )  # fmt: skip
    layouts = ("plain", "titles", "notes", "blanks", "totals", "offset", "merged_title", "repeated", "footer")
    for number, layout in enumerate(layouts):
        amounts = list(AMOUNTS)[number % len(AMOUNTS)]
        for end in (".xlsx", ".csv"):
            made.append(
                Template(
                    f"{layout}{end}", (c.group_revenue(AMOUNTS[amounts]), c.since(DATES["chinese"]), c.employees(c.PEOPLE), c.listed(c.MARKS)),
                    end=end, layout=layout, where="title" if layout in {"titles", "merged_title"} else "header",
                )
            )  # fmt: skip
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "gbk"):
        for delimiter in (",", ";", "\t"):
            made.append(
                Template(
                    f"{encoding}-{'comma' if delimiter == ',' else 'semicolon' if delimiter == ';' else 'tab'}",
                    (c.group_revenue(AMOUNTS["grouped"]), c.founded(DATES["part"]), c.employees(c.PERSONS)),
                    end=".csv", encoding=encoding, delimiter=delimiter, unit="元", factor=1,
                )
            )  # fmt: skip
    return made


def _facilities() -> list[Template]:
    positive = c.committed(AMOUNTS["positive"])
    plain = {"sheet": "facilities", "unit": "亿元", "factor": 100_000_000}
    return [
        Template("rates-percent", (c.rate(c.RATES_PERCENT), c.share(c.SHARES), c.tenor(c.TENORS)), rate_unit="%", **plain),
        Template("rates-percent.csv", (c.rate(c.RATES_PERCENT), positive, c.start(DATES["iso"])), rate_unit="%", end=".csv", **plain),
        Template("rates-plain", (c.rate(c.RATES_PLAIN), c.share(c.SHARES), c.revolving(c.TRUTHS)), **plain),
        Template("rates-plain.ods", (c.rate(c.RATES_PLAIN), c.tenor(c.TENORS), c.start(DATES["chinese"])), end=".ods", **plain),
        Template("rates-basis", (c.rate(c.RATES_BASIS), positive, c.drawn(AMOUNTS["gaps"])), rate_unit="bp", **plain),
        Template("rates-basis.csv", (c.rate(c.RATES_BASIS), c.tenor(c.TENORS)), rate_unit="bp", end=".csv", encoding="gb18030", **plain),
        Template("tenor-months", (c.tenor(c.TENORS_IN_MONTHS), positive, c.start(DATES["bad"])), number_unit="月", **plain),
        Template("tenor-months.csv", (c.tenor(c.TENORS_IN_MONTHS), c.start(DATES["gaps"])), number_unit="月", end=".csv", **plain),
        Template("percent-format", (c.rate(((0.0435, "0.0435"), (0.05, "0.05"), (0, "0"), (0.12, "0.12"), (0.0385, "0.0385"), (1.5, "1.5"))), positive), percent_format=True, **plain),
        Template("percent-format-and-header", (c.rate(((0.0435, "0.0435"), (0.05, "0.05"), (0, "0"), (0.12, "0.12"), (0.0385, "0.0385"), (1.5, "1.5"))), positive), percent_format=True, rate_unit="%", **plain),
        Template("english", (positive, c.rate(c.RATES_PLAIN), c.start(DATES["iso"])), sheet="facilities", lang="en", unit="million CNY", factor=1_000_000),
        Template("english.csv", (positive, c.drawn(AMOUNTS["gaps"]), c.start(DATES["part"])), sheet="facilities", lang="en", unit="10k CNY", factor=10_000, end=".csv"),
        Template("english-thousands", (positive, c.share(c.SHARES)), sheet="facilities", lang="en", unit="RMB'000", factor=1000),
        Template("english-title", (positive, c.share(c.SHARES)), sheet="facilities", lang="en", unit="CNY million", factor=1_000_000, where="title"),
    ]  # fmt: skip


def _others() -> list[Template]:
    own, clash = c.group_revenue(c.OWN_UNITS), c.group_revenue(c.CONFLICTS)
    base = (c.founded(DATES["iso"]), c.employees(c.PEOPLE))
    return [
        Template("units-in-cells", (own, *base), where="cells", factor=1),
        Template("units-in-cells.csv", (own, *base), where="cells", factor=1, end=".csv"),
        Template("units-in-cells.ods", (own, *base), where="cells", factor=1, end=".ods"),
        Template("conflicting-units", (clash, *base)),
        Template("conflicting-units.csv", (clash, *base), end=".csv", encoding="gb18030"),
        Template("conflicting-units-title", (clash, *base), where="title", layout="titles"),
        Template("asked-unit", (c.group_revenue(AMOUNTS["grouped"]), *base), where="wish"),
        Template("asked-unit.csv", (c.group_revenue(AMOUNTS["signs"]), *base), where="wish", unit="亿元", factor=100_000_000, end=".csv"),
        Template("serials-1900", (c.founded(c.SERIALS_1900), c.group_revenue(AMOUNTS["typed"]))),
        Template("serials-1904", (c.founded(c.SERIALS_1904), c.group_revenue(AMOUNTS["mixed"])), epoch="1904"),
        Template("hidden-refused", (c.group_revenue(AMOUNTS["grouped"]), c.employees(c.PEOPLE)), hidden=(1, 4)),
        Template("hidden-taken", (c.group_revenue(AMOUNTS["grouped"]), c.employees(c.PEOPLE)), hidden=(1, 4), take_hidden=True),
        Template("plain.ods", (c.group_revenue(AMOUNTS["typed"]), c.founded(DATES["chinese"]), c.listed(c.TRUTHS)), end=".ods"),
        Template("title.ods", (c.group_revenue(AMOUNTS["mixed"]), c.founded(DATES["bad"])), end=".ods", where="title", layout="titles"),
        Template("packed", (c.capital(AMOUNTS["positive"]), c.paid(AMOUNTS["gaps"]), c.since(DATES["gaps"])), end=".csv.gz"),
        Template("packed-gb18030", (c.capital(AMOUNTS["positive"]), c.paid(AMOUNTS["worse"]), c.since(DATES["bad"])), end=".csv.gz", encoding="gb18030"),
        Template("two-amounts", (c.capital(AMOUNTS["positive"]), c.paid(AMOUNTS["positive"]), c.group_revenue(AMOUNTS["worse"])), where="group"),
        Template("two-amounts.csv", (c.capital(AMOUNTS["positive"]), c.paid(AMOUNTS["gaps"]), c.group_revenue(AMOUNTS["bad"])), where="group", end=".csv"),
    ]  # fmt: skip


TEMPLATES = [*_many(), *_facilities(), *_others()]
