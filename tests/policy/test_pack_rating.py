"""The rating document of the pack: read, refused where it is wrong, and the same through its kept body."""

import copy
import json
from datetime import date

import pytest

from kequn.domain.errors import Refused
from kequn.domain.rating.composing import Inputs, compose
from kequn.policy import load_pack
from kequn.policy.rating import policy_of, rating_policy
from kequn.policy.statement_forms import statement_forms

DAY = date(2026, 9, 30)


@pytest.fixture
def body():
    return copy.deepcopy(rating_policy(load_pack("cn"), DAY).body)


def test_a_body_that_was_kept_is_the_same_policy(body):
    again = policy_of(json.loads(json.dumps(body)))
    assert again.digest == rating_policy(load_pack("cn"), DAY).digest
    facts = {"rating_model": "corporate", "debt_ratio": 0.55, "worst_past_due": 0.0, "geography": "domestic",
             "interest_coverage": 3.0, "current_ratio": 1.2, "ebitda_to_debt": 0.2}  # fmt: skip
    one, other = (compose(policy.scheme, Inputs(facts, {"management": 4, "outlook": 3, "position": 3}))
                  for policy in (again, rating_policy(load_pack("cn"), DAY)))  # fmt: skip
    assert one == other
    assert one.grade is not None


def test_a_micro_firm_is_judged_on_nothing_that_only_statements_tell():
    policy = rating_policy(load_pack("cn"), DAY)
    financial = {line.fact for part in policy.scheme.models["corporate"].parts if part.module.name == "financial"
                 for line in part.module.lines}  # fmt: skip
    micro = {line.fact for part in policy.scheme.models["micro"].parts for line in part.module.lines}
    assert micro & financial == set()


def test_every_question_has_five_descriptors_in_both_languages():
    for question in rating_policy(load_pack("cn"), DAY).questions.values():
        assert sorted(question.marks) == [1, 2, 3, 4, 5]
        assert all(text.zh and text.en for text in question.marks.values())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rating: rating["models"][0]["modules"][0].update(weight=0.9), "do not sum to 1"),
        (lambda rating: rating["grade_pd"].update(K05=0.5), "must lie in its band"),
        (lambda rating: rating["questions"][0]["marks"].pop("3"), "each mark needs a descriptor"),
        (lambda rating: rating["warning_caps"].update(red="Z"), "no such grade"),
        (lambda rating: rating["drivers"].pop(1), "belongs to no driver"),
    ],
)
def test_a_rating_document_that_is_not_sound_is_refused_with_the_place(body, spoil, said):
    spoil(body["rating"])
    with pytest.raises(Refused) as refused:
        policy_of(body)
    assert any(said in finding.text.en for finding in refused.value.findings)


def test_the_statement_forms_speak_of_items_of_the_dictionary():
    forms = statement_forms(load_pack("cn"), DAY)
    assert [form.name for form in forms.forms] == ["balance_sheet", "income_statement", "cash_flow_statement"]
    assert forms.status == "memory"
