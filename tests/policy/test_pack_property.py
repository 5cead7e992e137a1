"""What must hold of the pack for every customer: exclusive segments, monotone strategies, exposure that reconciles."""

import random
from datetime import date

import pytest

from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import plain
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.policy import build_plan, load_pack
from kequn.policy.planning import tables_of

AS_OF = date(2026, 9, 30)
PACK = load_pack("cn")
PLAN = build_plan(PACK, AS_OF)
ITEMS = PACK.items(AS_OF)
DIMENSIONS = sorted({item.dimension for item in ITEMS if item.dimension})


def random_value(draw, fact):
    if draw.random() < 0.2:
        return None
    if fact.name == "industry_code":
        return draw.choice(["C39", "D44", "E48", "C31", "H61", "A01", "C", "G59", "J6621", "K704", "K70"])
    if fact.name == "country":
        return draw.choice(["CN", "HK", "US", "VN", "ET", "DE"])
    if fact.name == "province":
        return draw.choice(["310000", "140000", "650000", "220000", "810000"])
    if fact.type == FactType.NUMBER:
        return draw.choice([0.0, -1.0, 1.0, draw.uniform(0, 2), draw.uniform(0, 400), 10 ** draw.uniform(3, 10)])
    if fact.type == FactType.BOOLEAN:
        return draw.random() < 0.5
    if fact.type == FactType.DATE:
        return date.fromordinal(AS_OF.toordinal() - draw.randrange(600))
    return draw.choice(fact.choices or ("x",))


def random_record(draw):
    words = PACK.vocabulary
    facts = {fact.name: random_value(draw, fact) for fact in words.of_grain(Grain.CUSTOMER) if not fact.outcome}
    periods = {grain: {fact.name: [random_value(draw, fact) for _ in range(16)] for fact in words.of_grain(grain)}
               for grain in (Grain.STATEMENT, Grain.ACCOUNT_MONTH)}  # fmt: skip
    children = {}
    for grain in (Grain.FACILITY, Grain.PROJECT, Grain.EVENT):
        if draw.random() < 0.8:
            children[grain] = [
                {fact.name: random_value(draw, fact) for fact in words.of_grain(grain)}
                for _ in range(draw.randrange(4))
            ]
    return Record(facts, periods, draw.choice([0, 1, 2, 3, 4]), children)


@pytest.fixture(scope="module")
def assessed():
    draw = random.Random(20260930)
    return [plain.evaluate(PLAN, random_record(draw), AS_OF) for _ in range(2000)]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_segments_of_a_dimension_exclude_one_another_and_leave_nobody_out(assessed, dimension):
    names = [item.name for item in ITEMS if item.dimension == dimension]
    for found in assessed:
        assert [found[name] for name in names].count(True) == 1, {name: found[name] for name in names}


def test_there_are_five_dimensions():
    assert DIMENSIONS == ["credit", "geography", "industry", "project", "size"]


def test_findings_stay_within_their_declared_values(assessed):
    for item in ITEMS:
        if item.choices:
            assert {found[item.name] for found in assessed} <= {*item.choices, None}, item.name


RARE = {"strategic_large"}  # needs facts that agree with one another


def test_every_segment_and_signal_can_hold_and_can_fail(assessed):
    for item in ITEMS:
        if item.kind in {"segment", "signal"} and item.name not in RARE:
            assert {True, False} <= {found[item.name] for found in assessed}, item.name


def strategy(tier, size):
    table = tables_of(PACK, AS_OF)["strategy_by_credit_and_size"]
    row = Reader(Record({"credit_tier": tier, "size": size}), {}, {}).read(table.row_number())
    reader = Reader(Record({table.name: row}), {}, {})
    return {output.name: reader.read(table.expression(at)) for at, output in enumerate(table.outputs)}


@pytest.mark.parametrize("size", ["large", "medium", "small", "micro", "not_applicable", "unknown"])
@pytest.mark.parametrize(("better", "worse"), [("high", "middle"), ("middle", "low"), ("middle", "unknown")])
def test_all_else_equal_better_credit_is_never_served_worse(size, better, worse):
    good, poor = strategy(better, size), strategy(worse, size)
    assert good["strategy_rate_low"] <= poor["strategy_rate_low"]
    assert good["strategy_rate_high"] <= poor["strategy_rate_high"]
    assert good["strategy_limit_factor"] >= poor["strategy_limit_factor"]
    assert good["strategy_security_rank"] <= poor["strategy_security_rank"]


def test_the_rank_of_security_says_what_its_word_says():
    order = ["none", "guarantee", "pledge", "mortgage", "mixed"]
    for tier in ("high", "middle", "low", "unknown"):
        for size in ("large", "medium", "small", "micro", "not_applicable", "unknown"):
            row = strategy(tier, size)
            assert order.index(row["strategy_security"]) == row["strategy_security_rank"]


def test_a_lower_pd_never_gets_a_dearer_price():
    prices = [item.name for item in ITEMS if item.kind == "price"]
    expressions = {one.name: one.expr for one in PLAN.definitions}
    for name in prices:
        found = []
        for pd in (0.0003, 0.002, 0.01, 0.05, 0.2):
            known = {"priced_pd": pd, "service_cost": 0.002, "project_risk": "low"}
            record = Record(known | {"strategy_rate_low": -0.05, "strategy_rate_high": 0.5})
            found.append(Reader(record, {}, {}).read(expressions[name]))
        assert None not in found
        assert found == sorted(found), name


def exposure(*facilities):
    found = plain.evaluate(PLAN, Record({}, {}, None, {Grain.FACILITY: facilities}), AS_OF)
    return found["exposure_gross"], found["exposure_deposit"], found["exposure_net"]


def test_a_margin_backed_bill_reconciles():
    bill = {
        "product": "acceptance_bill",
        "committed": 1_000_000.0,
        "drawn": 0.0,
        "off_balance": 1_000_000.0,
        "margin_deposit": 300_000.0,
    }
    assert exposure(bill) == (1_000_000.0, 300_000.0, 700_000.0)


def test_undrawn_and_contingent_amounts_count_by_their_factor():
    line = {"product": "working_capital_loan", "committed": 100.0, "drawn": 60.0, "is_cancellable": False}
    free = {**line, "is_cancellable": True}
    letter = {"product": "letter_of_credit", "committed": 50.0, "drawn": 0.0, "off_balance": 50.0}
    assert exposure(line)[0] == 60 + 0.4 * 40
    assert exposure(free)[0] == 60 + 0.1 * 40
    assert exposure(letter)[0] == 0.2 * 50
    assert exposure(line, free, letter)[0] == 76 + 64 + 10


def test_a_deposit_nets_no_more_than_its_own_facility():
    covered = {
        "product": "acceptance_bill",
        "committed": 100.0,
        "drawn": 0.0,
        "off_balance": 100.0,
        "margin_deposit": 150.0,
    }
    loan = {"product": "term_loan", "committed": 100.0, "drawn": 100.0}
    assert exposure(covered, loan) == (200.0, 100.0, 100.0)


def test_a_closed_facility_is_no_exposure_and_no_facility_is_nil():
    assert exposure({"product": "term_loan", "status": "closed", "committed": 100.0, "drawn": 100.0}) == (0.0, 0.0, 0.0)
    assert exposure() == (0.0, 0.0, 0.0)
