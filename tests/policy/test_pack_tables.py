"""Decision tables: hit policies in DMN words, gaps and overlaps found before anything is decided."""

import pytest

from kequn.domain.errors import Place
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.policy.cells import read_cell
from kequn.policy.dictionary import Bounds
from kequn.policy.documents import Complaints
from kequn.policy.tables import read_table

DSCR = Fact("dscr", Grain.CUSTOMER, FactType.NUMBER, "偿债备付率", "DSCR")
STAGE = Fact("stage", Grain.CUSTOMER, FactType.TEXT, "阶段", "Stage", choices=("construction", "operation"))
READY = Fact("ready", Grain.CUSTOMER, FactType.BOOLEAN, "齐备", "Ready")
WORDS = Vocabulary([DSCR, STAGE, READY])


def table(rows, *, hit="unique", inputs=("dscr",), type_="text", **more):
    complaints = Complaints()
    body = {
        "name": "level",
        "zh": "级别",
        "en": "Level",
        "type": type_,
        "hit": hit,
        "inputs": list(inputs),
        "rows": rows,
        **more,
    }
    found = read_table(body, Place("t.yaml"), WORDS, {"dscr": Bounds(0.0)}, complaints)
    return found, [finding.text.en for finding in complaints.findings]


def answer(rows, facts, **options):
    found, faults = table(rows, **options)
    assert not faults
    return Reader(Record(facts), {}, {}).read(found.expression(0))


BANDS = [
    {"when": {"dscr": "< 1.1"}, "then": "low"},
    {"when": {"dscr": "[1.1..1.3)"}, "then": "mid"},
    {"when": {"dscr": ">= 1.3"}, "then": "high"},
]


@pytest.mark.parametrize(("dscr", "level"), [(0.5, "low"), (1.1, "mid"), (1.3, "high"), (None, None)])
def test_unique_bands_answer_once_and_unknown_stays_unknown(dscr, level):
    assert answer(BANDS, {"dscr": dscr}) == level


def test_a_gap_is_shown_by_a_value_that_falls_through():
    _, faults = table([BANDS[0], BANDS[2]])
    assert any("gap" in fault and "1.1" in fault for fault in faults)


def test_an_overlap_is_shown_by_a_value_and_two_rows():
    _, faults = table([{"when": {"dscr": "<= 1.1"}, "then": "low"}, *BANDS[1:]])
    assert any("overlap" in fault and "dscr = 1.1" in fault and "rows 1, 2" in fault for fault in faults)


def test_values_that_cannot_be_are_no_gap():
    _, faults = table([{"when": {"dscr": ">= 0"}, "then": "low"}])
    assert faults == []


def test_first_takes_the_first_that_holds():
    rows = [{"when": {"dscr": "< 1.3"}, "then": "low"}, {"when": {}, "then": "high"}]
    assert answer(rows, {"dscr": 1.0}, hit="first") == "low"
    assert answer(rows, {"dscr": 2.0}, hit="first") == "high"


def test_an_unknown_test_before_the_hit_makes_the_answer_unknown():
    rows = [{"when": {"dscr": "< 1.3"}, "then": "low"}, {"when": {}, "then": "high"}]
    assert answer(rows, {"dscr": None}, hit="first") is None


def test_priority_takes_the_gravest_of_several_hits():
    rows = [{"when": {"stage": "construction"}, "then": "yellow"}, {"when": {"dscr": "< 1.1"}, "then": "red"}]
    options = {"hit": "priority", "inputs": ("dscr", "stage"), "priority": ["red", "yellow"], "otherwise": None}
    assert answer(rows, {"dscr": 1.0, "stage": "construction"}, **options) == "red"


def test_collect_adds_what_holds():
    rows = [{"when": {"dscr": "< 1.3"}, "then": 10}, {"when": {"dscr": "< 1.1"}, "then": 5}]
    assert answer(rows, {"dscr": 1.0}, hit="collect", type_="number") == 15
    assert answer(rows, {"dscr": 1.2}, hit="collect", type_="number") == 10
    assert answer(rows, {"dscr": 2.0}, hit="collect", type_="number") == 0


def test_lists_negation_booleans_and_unknown():
    rows = [
        {"when": {"ready": "unknown"}, "then": "ask"},
        {"when": {"ready": True, "stage": "not(construction)"}, "then": "go"},
        {"when": {"ready": True, "stage": "construction"}, "then": "build"},
        {"when": {"ready": False}, "then": "wait"},
    ]
    inputs = ("ready", "stage")
    assert answer(rows, {"ready": None, "stage": "operation"}, inputs=inputs) == "ask"
    assert answer(rows, {"ready": True, "stage": "operation"}, inputs=inputs) == "go"
    assert answer(rows, {"ready": False, "stage": "operation"}, inputs=inputs) == "wait"


@pytest.mark.parametrize("cell", ["> much", "[2..1)", "5..6", "<> 3"])
def test_a_test_that_makes_no_sense_names_what_is_allowed(cell):
    assert isinstance(read_cell(cell, DSCR), str)


def test_a_misspelt_input_and_a_stranger_among_choices_are_named():
    _, faults = table(BANDS, inputs=("dscrr",))
    assert any("did you mean dscr" in fault for fault in faults)
    _, faults = table([{"when": {"stage": "planning"}, "then": "low"}], inputs=("stage",))
    assert any("construction operation" in fault for fault in faults)


def test_an_outcome_without_a_priority_is_named():
    rows = [{"when": {}, "then": "red"}, {"when": {"dscr": "< 1.1"}, "then": "green"}]
    _, faults = table(rows, hit="priority", priority=["red"])
    assert any("outcomes without a priority" in fault and "green" in fault for fault in faults)
