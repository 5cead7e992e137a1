"""Strategies of segments: written as tables, governed as definitions, shown in shadow; and how segments do."""

from datetime import date

import numpy as np
import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.models import FindingSpan
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.governance.approving import decide
from kequn.apps.governance.models import DocumentVersion
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.strategies import worth
from kequn.apps.strategies.books import RunBook, books
from kequn.apps.strategies.documents import Asked, columns_at, draft_strategy, strategies_at, submit_strategy
from kequn.apps.strategies.performance import Step, _effect, performance, step, today
from kequn.apps.strategies.rates import rate_of
from kequn.apps.strategies.shadow import shadow
from kequn.apps.strategies.workbook import read_workbook, write_workbook
from kequn.domain.errors import Refused, Text
from kequn.policy import load_pack
from kequn.policy.segment_strategies import Strategy, StrategyRow
from kequn.policy.strategy_document import body_of_grid, grid_of
from kequn.samples.book import AS_OF

pytestmark = pytest.mark.django_db
BODY = {"segment": "late_payers", "priority": 2, "rows": [{"terms": {"spread": 0.03, "limit_factor": 0.02}}]}


def item(name):
    return next(one for one in policy_in_use().items(AS_OF) if one.name == name)


@pytest.fixture
def columns():
    return columns_at(load_pack("cn"), AS_OF)


@pytest.fixture
def published(xu, zhou):
    version = draft_strategy(person=xu, asked=Asked(BODY, AS_OF, "收紧"))
    proposal = submit_strategy(person=xu, version=version, item=item("late_payers"))
    decide(person=zhou, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
    return DocumentVersion.objects.get(pk=version.pk)


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_first_row_that_fits_holds_and_the_last_fits_everybody():
    late = strategies_at(load_pack("cn"), AS_OF).strategies["late_payers"]
    assert late.demand({"credit_tier": "high"}).terms["spread"] == 0.015
    assert late.demand({"credit_tier": "low"}).terms["spread"] == 0.025
    assert late.demand({}).terms["spread"] == 0.025


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_shipped_strategy_goes_through_a_workbook_and_comes_back_equal(columns, language):
    pack = load_pack("cn")
    for name, strategy in strategies_at(pack, AS_OF).strategies.items():
        content = write_workbook(strategy, columns, Text("客群", "Segment"), language)
        body = body_of_grid(name, strategy.priority, read_workbook("s.xlsx", content, columns), columns)
        assert body == body_of_grid(name, strategy.priority, grid_of(strategy, columns, "en"), columns)
        assert len(body["rows"]) == len(strategy.rows)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ([{"spread": "two"}], "is no number"),
        ([{"spread": "150"}], "above 20%; is the percent sign missing"),
        ([{"spread": "0.5"}], "above 20%"),
        ([{"limit_factor": "40"}], "above 100%"),
        ([{"tenor_months": "12%"}], "this column is no ratio"),
        ([{"tenor_months": "0"}], "should be above nil"),
        ([{"security": "gold"}], "is none of the choices"),
        ([{"credit_tier": "superb", "spread": "2%"}, {"spread": "2%"}], "there is no such class"),
        ([{"credit_tier": "high", "spread": "2%"}], "the last row has no condition"),
        ([{"spread": "1%"}, {"spread": "2%"}], "the rows after it are never read"),
        ([{"credit_tier": "high"}, {"spread": "2%"}], "this row asks for nothing"),
        ([], "the last row has no condition"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_row_and_column(columns, grid, said):
    with pytest.raises(Refused) as refused:
        body_of_grid("late_payers", 2, grid, columns)
    assert any(said in one.text.en for one in refused.value.findings)


def test_words_of_either_language_and_codes_say_the_same(columns):
    grids = [[{"credit_tier": said, "spread": "2%"}, {"security": "抵押", "spread": "0.02"}]
             for said in ("高、中", "High, middle", "high;middle")]  # fmt: skip
    bodies = [body_of_grid("late_payers", 2, grid, columns) for grid in grids]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["rows"][0] == {"when": {"credit_tier": ["high", "middle"]}, "terms": {"spread": 0.02}}


def test_a_column_nobody_knows_is_refused_by_name(columns):
    content = write_workbook(None, columns, Text("客群", "Segment"), "en")
    with pytest.raises(Refused, match="unknown column"):
        read_workbook("s.xlsx", content, columns[3:])


# -- its life ----------------------------------------------------------------------------------------------------------


def test_a_published_strategy_holds_from_its_day_and_what_the_pack_said_is_version_one(published):
    assert strategies_at(policy_in_use(), AS_OF).strategies["late_payers"].demand({}).terms == {
        "spread": 0.03, "limit_factor": 0.02,
    }  # fmt: skip
    assert (
        strategies_at(policy_in_use(), date(2026, 1, 2)).strategies["late_payers"].demand({}).terms["spread"] == 0.025
    )
    first = DocumentVersion.objects.get(kind="strategy", key="late_payers", number=1)
    assert (first.state, published.number) == ("published", 2)


def test_a_strategy_of_no_segment_is_refused(xu):
    with pytest.raises(Refused, match="no segment nobody"):
        draft_strategy(person=xu, asked=Asked(BODY | {"segment": "nobody"}, AS_OF))


def test_a_retired_segment_puts_its_strategy_to_sleep(approved):
    approved("any(days_past_due > 0)", AS_OF, retires=True)
    assert "late_payers" not in strategies_at(policy_in_use(), AS_OF).strategies


def test_checkers_see_both_tables_in_both_languages_and_the_shadow(xu):
    version = draft_strategy(person=xu, asked=Asked(BODY, AS_OF, "收紧"))
    proposal = submit_strategy(person=xu, version=version, item=item("late_payers"))
    import json

    shown = json.loads(proposal.shown)
    assert shown["grid"]["zh"]["rows"] == shown["grid"]["en"]["rows"]
    assert len(shown["grid_before"]["zh"]["rows"]) == 2
    members = FindingSpan.objects.filter(key="late_payers", value="true", valid_to__isnull=True).count()
    assert shown["shadow"]["customers"] + shown["shadow"]["unknown"] == members


# -- what it does ------------------------------------------------------------------------------------------------------


def made_book(as_of=date(2026, 1, 1), **columns):
    numbers = np.arange(len(next(iter(columns.values()))))
    return RunBook(1, as_of, None, numbers, numbers, {name: np.array(one) for name, one in columns.items()})


def test_a_shadow_is_what_a_hand_counts():
    book = made_book(
        strategy_rate_low=[0.0, 0.0], strategy_rate_high=[0.02, 0.02], strategy_limit_factor=[0.5, 0.5],
        annual_revenue=[1000.0, 1000.0], exposure_gross=[800.0, 100.0], pd=[0.02, 0.1],
        credit_tier=np.array(["high", "low"], dtype=object),
    )  # fmt: skip
    silent = Strategy("s", 1, (StrategyRow({}, {}),))
    high = StrategyRow({"credit_tier": ("high",)}, {"spread": 0.03, "limit_factor": 0.2})
    found = shadow(book, np.array([True, True]), silent, Strategy("s", 1, (high, StrategyRow({}, {}))), 0.5)
    # in force: 500 x (0.01 - 0.01) + 100 x (0.01 - 0.05); challenger: 200 x (0.03 - 0.01) + the same 100
    assert (found.in_force.net_income, found.challenger.net_income) == (-400, 0)
    assert (found.in_force.lent, found.challenger.lent) == (60000, 30000)
    assert (found.kinder, found.harder) == (0, 1)


def test_formation_is_counted_among_those_not_in_default_before():
    def ints(*values):
        return np.array(values, dtype=np.int8)

    one, two = made_book(in_default=ints(0, 0, 1, 0, -1)), made_book(date(2026, 4, 1), in_default=ints(1, 0, 1, -1, 1))
    found = step(one, two, np.array([True, False, True, True, True]), np.arange(5), 1)
    assert (found.inside.events, found.inside.known) == (1, 1)
    assert (found.outside.events, found.outside.known) == (0, 1)


def test_before_and_after_leave_out_the_step_that_the_day_falls_into():
    days = [date(2026, month, 1) for month in (1, 4, 7, 10)]
    steps = [
        Step(one, two, rate_of(events, 100, 20), rate_of(10, 100, 20))
        for one, two, events in zip(days, days[1:], (20, 50, 5), strict=False)
    ]
    version = DocumentVersion(kind="strategy", key="s", number=2, effective_from=date(2026, 5, 15))
    found = _effect(steps, version, [], 20)
    assert (found.before.events, found.after.events) == (20, 5)
    assert found.apart.is_beyond_chance
    assert not found.outside.is_beyond_chance
    assert found.outside.value == 0


def test_cohorts_of_entry_hold_every_member_of_each_date():
    found = performance(person=LocalAdministrator(), segment="late_payers", unknown_means="out", as_of=AS_OF)
    read = books(8)
    assert [one.entered for one in found.cohorts] == [one.as_of for one in read]
    first = read[0].members("late_payers", "out")
    assert found.cohorts[0].customers == first.sum()
    stayed = read[-1].members("late_payers", "out").sum() - found.cohorts[-1].customers
    assert found.cohorts[0].still == stayed
    assert found.cohorts[-1].default.rate is None


def test_members_and_exposure_of_today_are_those_of_the_findings():
    book = books(1)[-1]
    members = book.members("late_payers", "out")
    found = today(book, members, 1)
    standing = FindingSpan.objects.filter(key="late_payers", value="true", valid_to__isnull=True)
    amounts = standing.values_list("customer__figures__exposure_gross", flat=True)
    assert found.customers == standing.count()
    assert found.exposure == sum(one for one in amounts if one is not None)


# -- worth -------------------------------------------------------------------------------------------------------------


def test_the_lines_of_worth_add_up_to_what_policy_says_of_each_customer():
    items = [item("late_payers"), item("inclusive_small")]
    found = worth.worth_of_segments(person=LocalAdministrator(), items=items)
    book = books(1)[-1]
    for one in found:
        members = book.members(one.key, "out") if one.key else np.ones(len(book.numbers), bool)
        amounts = book.column("worth_contribution")[members]
        assert one.contribution / 100 == pytest.approx(np.nansum(amounts), abs=0.05 * one.known)
        assert one.known == np.isfinite(amounts).sum()


def test_value_tiers_divide_the_whole_book():
    tiers = worth.worth_of_values(person=LocalAdministrator(), dimension="value_tier")
    assert sum(one.customers for one in tiers) == latest_published().counts["customers"]
    assert all(one.contribution < 0 for one in tiers if one.key == "loss")
    assert all(one.known == 0 for one in tiers if one.key in ("unknown", "in_default"))


def test_a_margin_is_the_quotient_of_sums_and_lies_within_its_interval():
    found = worth.margin_of(person=LocalAdministrator(), segment="inclusive_small", unknown_means="out")
    assert found.low < found.rate < found.high
    assert found.customers > 1
