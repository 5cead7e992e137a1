"""What `kequn finance` says may be asked is what it answers; the example file can be begun with."""

import json
from datetime import date
from pathlib import Path

import pytest

from kequn.financing.cases import solve_cases, solvers
from kequn.financing.cases.vocabulary import CATEGORIES
from kequn.policy import load_pack

ROOT = Path(__file__).resolve().parents[2]
ORACLES = ROOT.parent / "shared" / "oracles"
AS_OF = date(2026, 9, 30)
PROSE = {"convention", "rule", "rules", "order", "objective", "note"}


def test_every_category_that_is_answered_is_listed_and_no_other():
    assert set(CATEGORIES) == set(solvers(load_pack("cn"), AS_OF, "en"))


def test_every_example_is_answered_and_uses_listed_inputs_only():
    document = json.loads((ROOT / "examples" / "finance" / "cases.json").read_text("utf-8"))
    answers = solve_cases(document, load_pack("cn"), AS_OF, "en")
    assert [key for key, answer in answers.items() if "error" in answer] == []
    for case in document["cases"]:
        one = CATEGORIES[case["category"]]
        assert set(one.needs) <= set(case["inputs"]) <= {*one.needs, *one.may}


@pytest.mark.shared
@pytest.mark.skipif(not ORACLES.is_dir(), reason="the reference folder is not beside the repository")
def test_the_inputs_of_every_worked_case_are_listed_and_those_needed_are_there():
    for file in ORACLES.glob("*.json"):
        for case in json.loads(file.read_text("utf-8"))["cases"]:
            one, given = CATEGORIES[case["category"]], set(case["inputs"]) - PROSE
            assert given <= {*one.needs, *one.may}, case["id"]
            assert set(one.needs) <= given, case["id"]
