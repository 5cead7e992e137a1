"""The sixteen size groups at every boundary, against the standard's table written out here by hand.

Source: 统计上大中小微型企业划分办法（2017）, 国统字〔2017〕213号, table of bounds: X persons employed, Y operating
revenue in 万元, Z total assets in 万元; a class needs all its lower bounds, else one class down.
"""

import csv
import itertools
import random

import pytest
from cases import run_assess

WAN = 10_000
# group: industry codes, {measure: (large, medium, small)}
TABLE = {
    "agri": (["A01", "A0111", "A05"], {"Y": (20000, 500, 50)}),
    "industry": (["B06", "C39", "C1311", "D44", "D4620"], {"X": (1000, 300, 20), "Y": (40000, 2000, 300)}),
    "construction": (["E47", "E5090"], {"Y": (80000, 6000, 300), "Z": (80000, 5000, 300)}),
    "wholesale": (["F51", "F5111"], {"X": (200, 20, 5), "Y": (40000, 5000, 1000)}),
    "retail": (["F52", "F5299"], {"X": (300, 50, 10), "Y": (20000, 500, 100)}),
    "transport": (["G54", "G5541", "G56", "G57", "G58", "G591"], {"X": (1000, 300, 20), "Y": (30000, 3000, 200)}),
    "storage": (["G592", "G5930", "G596", "G599"], {"X": (200, 100, 20), "Y": (30000, 1000, 100)}),
    "post": (["G60", "G6020"], {"X": (1000, 300, 20), "Y": (30000, 2000, 100)}),
    "accommodation": (["H61"], {"X": (300, 100, 10), "Y": (10000, 2000, 100)}),
    "catering": (["H62"], {"X": (300, 100, 10), "Y": (10000, 2000, 100)}),
    "information": (["I63", "I6420"], {"X": (2000, 100, 10), "Y": (100000, 1000, 100)}),
    "software": (["I65", "I6513"], {"X": (300, 100, 10), "Y": (10000, 1000, 50)}),
    "realestate": (["K701", "K7010"], {"Y": (200000, 1000, 100), "Z": (10000, 5000, 2000)}),
    "property": (["K702", "K7020"], {"X": (1000, 300, 100), "Y": (5000, 1000, 500)}),
    "leasing": (["L71", "L7299"], {"X": (300, 100, 10), "Z": (120000, 8000, 100)}),
    "other": (["K703", "K709", "M73", "N7810", "O80", "Q85", "R86"], {"X": (300, 100, 10)}),
}
COLUMN = {"X": "employees", "Y": "revenue", "Z": "total_assets"}
MULTIPLE = {"X": 1, "Y": WAN, "Z": WAN}


def expected_size(bounds, values):
    """The class, or unknown where different values of what is missing give different classes."""
    possible = {}
    for measure, limits in bounds.items():
        known = values[measure]
        possible[measure] = [known] if known is not None else [0, *(limit * MULTIPLE[measure] for limit in limits)]
    found = set()
    for point in itertools.product(*possible.values()):
        known = dict(zip(possible, point, strict=True))
        ranked = [rank for rank in range(3) if all(known[m] >= bounds[m][rank] * MULTIPLE[m] for m in bounds)]
        found.add(("large", "medium", "small", "micro")[min(ranked, default=3)])
    return found.pop() if len(found) == 1 else "unknown"


def boundary_cases():
    rows = []
    for group, (codes, bounds) in TABLE.items():
        points = [
            [None, 0, *(bound * MULTIPLE[measure] + step for bound in bounds[measure] for step in (-1, 0, 1))]
            for measure in bounds
        ]
        for code in codes:
            for point in itertools.product(*points):
                values = dict(zip(bounds, point, strict=True))
                rows.append((group, code, bounds, values))
    return rows


def as_row(number, code, values):
    row = {"customer_id": f"{number:06d}", "industry_code": code, "employees": "", "revenue": "", "total_assets": ""}
    row.update({COLUMN[measure]: "" if value is None else value for measure, value in values.items()})
    return row


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def answers(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["customer_id"]: row for row in csv.DictReader(handle)}


@pytest.mark.parametrize("engine", ["plain", "duckdb"])
def test_every_boundary_of_every_group_gives_the_standards_answer_in_any_order(tmp_path, engine):
    cases = boundary_cases()
    rows = [as_row(number, code, values) for number, (_, code, _, values) in enumerate(cases)]
    random.Random(7).shuffle(rows)
    write(tmp_path / "in.csv", rows)
    assert run_assess(tmp_path / "in.csv", tmp_path / "out.csv", "--engine", engine) == 0
    found = answers(tmp_path / "out.csv")
    assert list(found) == [row["customer_id"] for row in rows]
    for number, (group, code, bounds, values) in enumerate(cases):
        row = found[f"{number:06d}"]
        size = expected_size(bounds, values)
        missing = [COLUMN[measure] for measure in bounds if values[measure] is None] if size == "unknown" else []
        assert (row["size"], row["size_group"], row["size_missing"]) == (size, group, ";".join(missing)), (code, values)


# 金融业企业划型标准规定, 银发〔2015〕309号: 亿元 of total assets (trusts: of trust assets); from memory.
FINANCE = {
    "J6621": ("total_assets", (40000, 5000, 50)),
    "J6631": ("total_assets", (1000, 200, 50)),
    "J6635": ("total_assets", (1000, 200, 50)),
    "J6711": ("total_assets", (1000, 100, 10)),
    "J6811": ("total_assets", (5000, 400, 20)),
    "J6911": ("trust_assets", (1000, 400, 20)),
    "J6920": ("total_assets", (40000, 5000, 50)),
    "J6999": ("total_assets", (1000, 200, 50)),
}


def test_financial_firms_are_sized_by_the_standard_of_2015(tmp_path):
    rows, wanted = [], []
    for code, (measure, bounds) in FINANCE.items():
        for rank, bound in enumerate(bounds):
            for step in (-1, 0, 1):
                row = {"customer_id": str(len(rows)), "industry_code": code, "total_assets": "", "trust_assets": ""}
                row[measure] = bound * 100_000_000 + step
                rows.append(row)
                wanted.append(("large", "medium", "small", "micro")[rank if step >= 0 else rank + 1])
    write(tmp_path / "in.csv", rows)
    assert run_assess(tmp_path / "in.csv", tmp_path / "out.csv", "--engine", "plain") == 0
    assert [row["size"] for row in answers(tmp_path / "out.csv").values()] == wanted


@pytest.mark.parametrize(
    ("code", "size", "missing"),
    [
        ("G53", "not_applicable", ""),
        ("K704", "not_applicable", ""),
        ("K7040", "not_applicable", ""),
        ("P83", "not_applicable", ""),
        ("Q84", "not_applicable", ""),
        ("S91", "not_applicable", ""),
        ("T97", "not_applicable", ""),
        ("G59", "unknown", "industry_code"),
        ("K70", "unknown", "industry_code"),
        ("J66", "unknown", "industry_code"),
        ("", "unknown", "industry_code"),
        ("J6911", "unknown", "trust_assets"),
    ],
)
def test_what_the_table_does_not_cover_is_not_called_micro(tmp_path, code, size, missing):
    rows = [{"customer_id": "1", "industry_code": code, "employees": 5, "revenue": 10, "total_assets": 10}]
    write(tmp_path / "in.csv", rows)
    assert run_assess(tmp_path / "in.csv", tmp_path / "out.csv", "--engine", "plain") == 0
    row = answers(tmp_path / "out.csv")["1"]
    assert (row["size"], row["size_missing"]) == (size, missing)
