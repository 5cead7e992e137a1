"""The standards of the pack say what the reference folder says, row for row."""

import csv
from pathlib import Path

import pytest

from kequn.policy.loading import SHIPPED

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference folder is not beside the repository"),
]


def rows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def ours(name):
    return rows(SHIPPED / "cn" / "standards" / name)


@pytest.mark.parametrize(
    ("mine", "theirs", "prefix"),
    [
        ("enterprise_size.csv", "cn_enterprise_size_2017.csv", ""),
        ("financial_enterprise_size.csv", "cn_financial_enterprise_size_2015.csv", "finance_"),
    ],
)
def test_bounds_of_size(mine, theirs, prefix):
    keys = ("large_min", "medium_min", "small_min", "status")
    copied = [(row["group"].removeprefix(prefix), *(row[key] for key in keys)) for row in ours(mine)]
    assert copied == [(row["group"], *(row[key] for key in keys)) for row in rows(REFERENCE / theirs)]


def test_sections_and_divisions():
    keys = ("section", "section_zh", "division", "division_zh")
    assert [[row[key] for key in keys] for row in ours("industries.csv")] == [
        [row[key] for key in keys] for row in rows(REFERENCE / "gbt4754_2017.csv")
    ]


def test_income_groups_by_fiscal_year():
    years = {"2023-07-01": "wb_income_fy24", "2024-07-01": "wb_income_fy25", "2025-07-01": "wb_income_fy26"}
    years["2026-07-01"] = "wb_income_fy27"
    theirs = {row["iso2"]: row for row in rows(REFERENCE / "countries.csv")}
    assert len(theirs) == len(ours("countries.csv"))
    for row in ours("countries.csv"):
        assert {day: row[day] for day in years} == {day: theirs[row["iso2"]][name] for day, name in years.items()}


def test_rating_scales():
    world = {(row["scale"], row["symbol"]): row["rank"] for row in ours("rating_scales.csv")}
    assert len(world) == len(ours("rating_scales.csv"))
    for row in rows(REFERENCE / "rating_scale_map.csv"):
        if row["grade"] == "default":  # Moody's has no letter of its own for it
            continue
        for scale, column in (("global_sp", "sp"), ("global_moodys", "moodys"), ("global_fitch", "fitch")):
            assert world[scale, row[column]] == row["notch"]
    for row in rows(REFERENCE / "rating_scale_cn_domestic.csv"):
        assert world["cn_domestic", row["symbol"]] == row["rank"]


def test_every_division_of_isic_has_a_bridge():
    assert {row["isic_division"] for row in ours("isic_bridge.csv")} == {
        row["division"] for row in rows(REFERENCE / "isic_rev4.csv")
    }
