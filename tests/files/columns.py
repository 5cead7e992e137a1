# ruff: noqa: E501 - a table reads better in whole lines
"""What stands in a cell and what it means, written by hand. The importer is never asked.

A pair is (as written, what it means). Numbers mean Decimals in the unit that the file states for the column; REFUSED is
a cell that must be refused, None one that means: not known.
"""

from dataclasses import dataclass

REFUSED = "refused"
Pair = tuple[object, object]


@dataclass(frozen=True)
class Column:
    """One column of a case: our field, the words of its header, and six cells."""

    field: str
    zh: str
    en: str
    kind: str  # money, ratio, number, date, truth
    cells: tuple[Pair, ...]


AMOUNTS = {
    "grouped": (
        ("1,234.56", "1234.56"), ("12,345,678", "12345678"), ("1，234", "1234"), ("1 234 567", "1234567"),
        ("１２，３４５．６", "12345.6"), ("0", "0"),
    ),
    "signs": (
        ("-500", "-500"), ("(500)", "-500"), ("（1,200.5）", "-1200.5"), ("－３０", "-30"), ("+7", "7"), ("−8.25", "-8.25"),
    ),
    "positive": (
        ("5000", "5000"), ("１２３４", "1234"), ("9,999,999", "9999999"), ("0.01", "0.01"), ("1'234'567", "1234567"),
        ("12,345.67", "12345.67"),
    ),
    "gaps": (("-", None), ("—", None), ("无", None), ("N/A", None), ("", None), ("3000", "3000")),
    "bad": (
        ("约100", REFUSED), ("1,23", REFUSED), ("12..3", REFUSED), ("#REF!", REFUSED), ("35%", REFUSED), ("88", "88"),
    ),
    "worse": (
        ("一百", REFUSED), ("100-200", REFUSED), ("1,2345", REFUSED), ("5-", REFUSED), (">100", REFUSED), ("1e3", "1000"),
    ),
    "typed": ((1234.56, "1234.56"), (0.1, "0.1"), (7, "7"), (99999999.99, "99999999.99"), (0, "0"), (3.0, "3")),
    "mixed": ((12.5, "12.5"), ("12.5", "12.5"), ("１２．５", "12.5"), (None, None), ("未知", None), (1000000, "1000000")),
}  # fmt: skip
OWN_UNITS = (  # the header says no unit; the meaning is in yuan
    ("5万元", "50000"), ("1.2亿元", "120000000"), ("3,000元", "3000"), ("８００万", "8000000"), ("（2百万元）", "-2000000"),
    ("500", REFUSED),
)  # fmt: skip
CONFLICTS = (  # the header says 万元
    ("5万元", "5"), ("5元", REFUSED), ("5亿", REFUSED), ("5万美元", REFUSED), ("$5", REFUSED), ("¥5", "5"),
)  # fmt: skip
DATES = {
    "iso": (
        ("2026-03-05", "2026-03-05"), ("2026/3/5", "2026-03-05"), ("2026.3.5", "2026-03-05"), ("20260305", "2026-03-05"),
        ("2026-12-31", "2026-12-31"), ("2024-02-29", "2024-02-29"),
    ),
    "chinese": (
        ("2026年3月5日", "2026-03-05"), ("二〇二六年三月五日", "2026-03-05"), ("二零二六年十二月三十一日", "2026-12-31"),
        ("２０２６年３月５日", "2026-03-05"), ("2026 年 3 月 5 日", "2026-03-05"), ("二○二五年十月二十日", "2025-10-20"),
    ),
    "bad": (
        ("3/5/2026", REFUSED), ("2026-02-30", REFUSED), ("昨天", REFUSED), ("2026年", REFUSED), ("26-3-5", REFUSED),
        ("2026-01-01", "2026-01-01"),
    ),
    "part": (
        ("2026年3月", REFUSED), ("2026-03", REFUSED), ("二〇二六年", REFUSED), ("2026.3", REFUSED), ("202603", REFUSED),
        ("5 Mar 2026", "2026-03-05"),
    ),
    "gaps": (("-", None), ("无", None), ("", None), ("2019-07-01", "2019-07-01"), ("不详", None), ("N/A", None)),
}  # fmt: skip
SERIALS_1900 = (  # numbers of a workbook of 1900; the days as Excel shows them
    (45000, "2023-03-15"), (44562, "2022-01-01"), (36526, "2000-01-01"), (25569, "1970-01-01"), (12, REFUSED),
    (20260305, "2026-03-05"),
)  # fmt: skip
SERIALS_1904 = (
    (45000, "2027-03-16"), (43100, "2022-01-01"), (35064, "2000-01-01"), (24107, "1970-01-01"), (12, REFUSED),
    (20260305, "2026-03-05"),
)  # fmt: skip
RATES_PERCENT = (  # the header says %; the meaning is the fraction
    ("4.35", "0.0435"), ("4.35%", "0.0435"), ("３．８５", "0.0385"), ("0", "0"), ("12", "0.12"), ("5元", REFUSED),
)  # fmt: skip
RATES_PLAIN = (  # the header says no unit: a fraction, or a percentage with its sign
    ("0.0435", "0.0435"), ("4.35%", "0.0435"), ("３．８５％", "0.0385"), ("—", None), ("0.12", "0.12"), ("四厘", REFUSED),
)  # fmt: skip
RATES_BASIS = (("435", "0.0435"), ("385", "0.0385"), ("0", "0"), ("1,200", "0.12"), ("4.35%", REFUSED), ("-", None))
SHARES = (("60%", "0.6"), ("0.5", "0.5"), ("100％", "1"), ("150%", REFUSED), ("无", None), ("0", "0"))
PERSONS = (
    ("320", "320"),
    ("１，２００", "1200"),
    ("320人", "320"),
    ("-3", REFUSED),
    ("很多", REFUSED),
    ("5%", REFUSED),
)
PEOPLE = ((320, "320"), (1200, "1200"), ("80人", "80"), ("", None), ("不详", None), ("15", "15"))
TENORS = (("12", "12"), ("3年", "36"), ("6个月", "6"), ("18月", "18"), ("60%", REFUSED), ("—", None))
TENORS_IN_MONTHS = (("12", "12"), ("6个月", "6"), ("1年", REFUSED), ("24", "24"), ("两年", REFUSED), ("36", "36"))
TRUTHS = (("是", True), ("否", False), ("yes", True), ("N", False), ("无", None), ("也许", REFUSED))
MARKS = (("true", True), ("0", False), ("有", True), ("没有", False), ("1", True), ("", None))


def capital(cells: tuple[Pair, ...]) -> Column:
    return Column("registered_capital", "注册资本", "Registered capital", "money", cells)


def paid(cells: tuple[Pair, ...]) -> Column:
    return Column("paid_in_capital", "实缴资本", "Registered capital paid in", "money", cells)


def group_revenue(cells: tuple[Pair, ...]) -> Column:
    return Column("group_revenue", "集团营业收入", "Group revenue", "money", cells)


def founded(cells: tuple[Pair, ...]) -> Column:
    return Column("founded_date", "成立日期", "Founded on", "date", cells)


def since(cells: tuple[Pair, ...]) -> Column:
    return Column("relationship_date", "建立业务关系日期", "Relationship since", "date", cells)


def employees(cells: tuple[Pair, ...]) -> Column:
    return Column("employees", "从业人员", "Employees", "number", cells)


def listed(cells: tuple[Pair, ...]) -> Column:
    return Column("is_listed", "是否上市公司", "Listed company", "truth", cells)


def committed(cells: tuple[Pair, ...]) -> Column:
    return Column("committed", "授信额度", "Committed amount", "money", cells)


def drawn(cells: tuple[Pair, ...]) -> Column:
    return Column("drawn", "用信余额", "Drawn amount", "money", cells)


def start(cells: tuple[Pair, ...]) -> Column:
    return Column("start_date", "起始日", "Start date", "date", cells)


def rate(cells: tuple[Pair, ...]) -> Column:
    return Column("rate_pa", "年利率", "Rate per annum", "ratio", cells)


def share(cells: tuple[Pair, ...]) -> Column:
    return Column("guaranteed_share", "担保比例", "Guaranteed share", "ratio", cells)


def tenor(cells: tuple[Pair, ...]) -> Column:
    return Column("tenor_months", "期限月数", "Tenor", "number", cells)


def revolving(cells: tuple[Pair, ...]) -> Column:
    return Column("is_revolving", "是否循环额度", "Revolving", "truth", cells)
