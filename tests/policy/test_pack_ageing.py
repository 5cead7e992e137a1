"""Ages compared as dates say what ages compared as numbers say."""

from datetime import date, timedelta

import pytest

from kequn.domain.facts import Grain
from kequn.domain.rules import plain
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.policy import build_plan, load_pack
from kequn.policy.ageing import said_as_dates
from kequn.policy.dictionary import count_at
from kequn.policy.rule_text import parse

AS_OF = date(2026, 9, 30)
PACK = load_pack("cn")
COUNTED = {one.fact.name: one for one in PACK.dictionary.counted}


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("limit", [0, 1, 1.5, 2, 3])
@pytest.mark.parametrize("name", ["company_age_years", "external_rating_age_days"])
def test_on_every_day_around_the_limit_the_two_forms_agree(sign, limit, name):
    counted = COUNTED[name]
    rule = parse(f"{name} {sign} {limit}", PACK.vocabulary)
    dated = said_as_dates(rule, COUNTED, PACK.vocabulary, AS_OF)
    middle = limit * 365.25 if counted.how == "years_from" else limit
    for days in range(int(middle) - 3, int(middle) + 5):
        day = AS_OF - timedelta(days=days)
        by_age = Reader(Record({name: count_at(counted, day, AS_OF)}), {}, {}).read(rule)
        by_date = Reader(Record({counted.date_column: day}), {}, {}).read(dated)
        assert by_age is by_date, (days, day)


def test_a_number_on_the_left_and_days_until_a_date():
    rule = said_as_dates(parse("any(30 >= days_to_maturity)", PACK.vocabulary), COUNTED, PACK.vocabulary, AS_OF)
    for days in range(28, 33):
        record = Record({}, {}, None, {Grain.FACILITY: [{"maturity_date": AS_OF + timedelta(days=days)}]})
        assert Reader(record, {}, {}).read(rule) is (days <= 30)


def test_a_supplied_age_without_its_date_still_counts():
    rule = said_as_dates(parse("company_age_years >= 3", PACK.vocabulary), COUNTED, PACK.vocabulary, AS_OF)
    assert Reader(Record({"company_age_years": 4.0}), {}, {}).read(rule) is True
    assert Reader(Record({}), {}, {}).read(rule) is None


@pytest.mark.parametrize(("days", "signal"), [(0, True), (365, True), (366, False)])
def test_an_enforcement_is_a_signal_for_a_year(days, signal):
    events = [{"kind": "enforcement", "event_date": AS_OF - timedelta(days=days)}]
    record = Record({}, {}, None, {Grain.EVENT: events})
    assert plain.evaluate(build_plan(PACK, AS_OF), record, AS_OF)["sig_enforcement"] is signal
