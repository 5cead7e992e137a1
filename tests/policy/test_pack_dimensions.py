"""The five dimensions of pack `cn` on the standards they name, one customer at a time."""

import csv
from datetime import date
from pathlib import Path

import pytest

from kequn.domain.facts import Grain
from kequn.domain.rating.calibration import pd_of_score
from kequn.domain.rules import plain
from kequn.domain.rules.record import Record
from kequn.policy import build_plan, load_pack
from kequn.policy.loading import SHIPPED

AS_OF = date(2026, 9, 30)
STATEMENT = {
    "total_liabilities": 4e8,
    "total_assets": 1e9,
    "current_assets": 5e8,
    "current_liabilities": 3e8,
    "cash": 1e8,
    "revenue": 8e8,
    "operating_cost": 6e8,
    "net_profit": 6e7,
    "total_profit": 8e7,
    "interest_expense": 1.5e7,
    "depreciation": 3e7,
    "operating_cash_flow": 9e7,
    "short_term_debt": 1e8,
    "long_term_debt": 1e8,
    "equity": 6e8,
}


def assess(customer=None, statement=None, as_of=AS_OF, **children):
    rows = {Grain(name): values for name, values in children.items()}
    periods = {Grain.STATEMENT: {name: [value] for name, value in (statement or {}).items()}}
    record = Record(customer or {}, periods, 4, rows)
    return plain.evaluate(build_plan(load_pack("cn"), as_of), record, as_of)


def standard(name: str) -> list[dict[str, str]]:
    lines = Path(SHIPPED / "cn" / "standards" / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


# industry


def test_the_standard_is_the_edition_of_2017():
    divisions = {row["division"]: row["division_zh"] for row in standard("industries.csv")}
    assert len(divisions) == 97
    assert (divisions["79"], divisions["97"]) == ("土地管理业", "国际组织")
    assert "".join(sorted({row["section"] for row in standard("industries.csv")})) == "ABCDEFGHIJKLMNOPQRST"


@pytest.mark.parametrize(
    ("code", "section", "family"),
    [
        ("C39", "C", "technology"),
        ("I6513", "I", "technology"),
        ("D44", "D", "energy"),
        ("E48", "E", "infrastructure"),
        ("C31", "C", "manufacturing"),
        ("H61", "H", "services"),
        ("A01", "A", "other"),
        ("A", "A", "other"),
        ("C", "C", None),
    ],
)
def test_a_code_has_a_section_and_a_family(code, section, family):
    found = assess({"industry_code": code})
    assert (found["industry_section"], found["industry_family"]) == (section, family)


@pytest.mark.parametrize(
    ("facts", "division", "basis"),
    [
        ({"naics_code": "722511"}, "62", "NAICS"),
        ({"naics_code": "541511"}, "65", "NAICS"),
        ({"naics_code": "493110"}, "59", "NAICS"),
        ({"naics_code": "23"}, None, "NAICS"),
        ({"isic_code": "3510"}, "44", "ISIC Rev.4"),
        ({"industry_code": "C39", "naics_code": "722511"}, "39", "GB/T 4754-2017"),
        ({"naics_code": "000000"}, None, None),
    ],
)
def test_other_classifications_are_bridged_and_the_basis_is_named(facts, division, basis):
    found = assess(facts)
    assert (found["industry_division"], found["industry_basis"]) == (division, basis)


def test_every_bridge_leads_to_a_code_of_the_standard():
    sections = {row["division"]: row["section"] for row in standard("industries.csv")}
    for row in (*standard("isic_bridge.csv"), *standard("naics_bridge.csv")):
        code = row["gbt_code"]
        assert len(code) == 1 or sections[code[1:3]] == code[0], code


# size


def test_size_reads_twelve_months_of_an_interim_statement():
    # 30 million this quarter + 90 million of last year - 20 million of last year's first quarter: 100 million
    quarters = {"revenue": [3e7, 9e7, None, None, 2e7], "total_assets": [1e9, 1e9, None, None, 1e9]}
    record = Record({"industry_code": "E47"}, {Grain.STATEMENT: quarters}, 1, {})
    found = plain.evaluate(build_plan(load_pack("cn"), AS_OF), record, AS_OF)
    assert (found["size_revenue"], found["size"]) == (1e8, "medium")


def test_before_the_standard_was_in_force_size_is_unknown():
    customer = {"industry_code": "C39", "employees": 5000.0}
    assert assess(customer, {"revenue": 1e9}, as_of=date(2012, 1, 1))["size"] == "large"
    assert assess(customer, {"revenue": 1e9}, as_of=date(2010, 1, 1))["size"] == "unknown"


# geography


@pytest.mark.parametrize(
    ("country", "province", "expected"),
    [
        ("CN", "310115", ("domestic", "east", "UMC")),
        ("CN", "14", ("domestic", "central", "UMC")),
        ("CN", "650000", ("domestic", "west", "UMC")),
        ("CN", "220000", ("domestic", "northeast", "UMC")),
        ("CN", None, ("domestic", None, "UMC")),
        ("CN", "810000", ("international", "outside", "UMC")),
        ("HK", None, ("international", "outside", "HIC")),
        ("US", None, ("international", None, "HIC")),
        ("ET", None, ("international", None, None)),
        (None, "310000", ("domestic", "east", "UMC")),
        (None, None, ("unknown", None, None)),
    ],
)
def test_place(country, province, expected):
    found = assess({"country": country, "province": province})
    assert (found["geography"], found["region"], found["income_group"]) == expected


@pytest.mark.parametrize(
    ("country", "day", "group", "segment"),
    [
        ("VN", date(2026, 6, 30), "LMC", "geo_less_developed"),
        ("VN", date(2026, 7, 1), "UMC", "geo_less_developed"),
        ("CR", date(2025, 6, 30), "UMC", "geo_less_developed"),
        ("CR", date(2025, 7, 1), "HIC", "geo_developed"),
        ("US", date(2020, 1, 1), None, "geo_abroad_unknown"),
    ],
)
def test_a_country_changes_its_group_with_the_fiscal_year(country, day, group, segment):
    found = assess({"country": country}, as_of=day)
    assert found["income_group"] == group
    assert found[segment] is True


def test_the_four_regions_hold_thirty_one_provinces():
    counts = {}
    for row in standard("provinces.csv"):
        counts[row["region"]] = counts.get(row["region"], 0) + 1
    assert counts == {"east": 10, "central": 6, "west": 12, "northeast": 3, "outside": 3}


# credit


def test_a_sound_firm_is_scored_and_graded_with_its_points():
    found = assess({}, STATEMENT)
    assert found["credit_tier"] in {"high", "middle"}
    assert found["points_debt_ratio"] == 8
    assert 0 < found["pd"] < 0.02


def test_too_little_known_gives_no_score():
    found = assess({"management_quality": 5.0}, {"total_assets": 1e9})
    assert (found["score"], found["pd"], found["grade"], found["credit_tier"]) == (None, None, None, "unknown")


def test_more_than_ninety_days_past_due_is_default_whatever_the_score():
    found = assess({}, STATEMENT, facility=[{"days_past_due": 91.0}])
    assert (found["grade"], found["pd"], found["credit_tier"]) == ("D", 1.0, "low")
    assert assess({}, STATEMENT, facility=[{"days_past_due": 90.0}])["grade"] != "D"


@pytest.mark.parametrize("fact", ["interest_coverage", "return_on_assets", "current_ratio", "management_quality"])
def test_a_better_fact_never_gives_a_worse_score(fact):
    without = {**STATEMENT, "current_assets": None, "net_profit": None, "interest_expense": None}
    scores = [assess({fact: float(value) / 4}, without)["score"] for value in range(4, 40)]
    assert None not in scores
    assert scores == sorted(scores)


def test_an_agency_letter_is_read_on_its_own_scale_only():
    domestic = assess({"external_rating": "AA", "external_rating_scale": "cn_domestic"})
    world = assess({"external_rating": "AA", "external_rating_scale": "global_sp"})
    assert (domestic["external_tier"], world["external_tier"]) == ("middle", "high")
    assert assess({"external_rating": "AA"})["external_tier"] is None


# project


@pytest.mark.parametrize(
    ("projects", "stage", "risk"),
    [
        ([], "none", "none"),
        ([{"stage": "operation", "dscr_min": 1.5}], "operation", "low"),
        ([{"stage": "operation", "dscr_min": 1.2}], "operation", "middle"),
        (
            [
                {"stage": "operation", "dscr_min": 1.0},
                {"stage": "construction", "dscr_min": 1.5, "permits_complete": True},
            ],
            "construction",
            "high",
        ),
        ([{"stage": "construction", "permits_complete": False}], "construction", "high"),
        ([{"stage": "closed"}], "closed", "low"),
    ],
)
def test_projects_give_stage_and_risk(projects, stage, risk):
    found = assess(project=projects)
    assert (found["project_stage"], found["project_risk"]) == (stage, risk)


def test_without_a_project_table_the_dimension_is_unknown():
    found = assess()
    assert (found["project_stage"], found["project_size"], found["project_risk"]) == ("unknown", "unknown", "unknown")


def test_green_infrastructure_research_and_equator_come_from_the_projects():
    wind = {"stage": "operation", "green_field": "energy_transition", "equator_category": "B"}
    road = {"stage": "planning", "green_field": "none", "equator_category": "A"}
    marks = ({"is_infrastructure": True, "is_research": False}, {"is_infrastructure": False, "is_research": False})
    found = assess(project=[{**wind, **marks[0]}, {**road, **marks[1]}])
    assert found["is_green_project"] is True
    assert found["has_infrastructure_project"] is True
    assert found["has_research_project"] is False
    assert found["equator_worst"] == "A"


def test_the_pd_is_that_of_the_calibration():
    pack = load_pack("cn")
    found = assess({}, STATEMENT)
    curve = {"intercept": pack.constant("score_intercept", AS_OF), "slope": pack.constant("score_slope", AS_OF)}
    assert found["pd"] == pytest.approx(pd_of_score(found["score"], **curve), abs=1e-15)
