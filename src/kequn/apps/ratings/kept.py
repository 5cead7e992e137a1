"""What a case keeps and how it is read back: inputs and results as canonical JSON, the policy by its digest."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils import timezone

from kequn.apps.audit.services import canonical
from kequn.apps.ratings.models import PolicyCopy, RatingCase
from kequn.domain.rating.composing import Inputs, Override, Rated, compose
from kequn.policy.rating import RatingPolicy, policy_of


def inputs_text(inputs: Inputs) -> str:
    override = None if inputs.override is None else [inputs.override.notches, inputs.override.reason]
    return canonical({"facts": inputs.facts, "answers": inputs.answers, "override": override})


def inputs_of(text: str) -> Inputs:
    read: Mapping[str, Any] = json.loads(text)
    override = None if read["override"] is None else Override(int(read["override"][0]), str(read["override"][1]))
    return Inputs(read["facts"], {name: int(mark) for name, mark in read["answers"].items()}, override)


def result_digest(rated: Rated) -> str:
    """SHA-256 over every step and every line of a rating: numbers to their last bit."""
    modules = [[one.name, one.score, one.known_share, [[line.name, line.value, line.points] for line in one.lines]]
               for one in rated.modules]  # fmt: skip
    steps = [[one.key, one.before, one.after, dict(one.inputs)] for one in rated.steps]
    said = canonical([rated.model, rated.grade, rated.pd, rated.score, modules, steps, rated.missing])
    return hashlib.sha256(said.encode()).hexdigest()


def keep_policy(policy: RatingPolicy) -> PolicyCopy:
    """The copy of a policy, made where it is not there yet."""
    values = {"body": canonical(policy.body), "kept_at": timezone.now()}
    return PolicyCopy.objects.get_or_create(digest=policy.digest, defaults=values)[0]


def policy_of_case(case: RatingCase) -> RatingPolicy:
    """The policy that a case was made by, from its copy."""
    return _policy_of_digest(case.policy_id)


@lru_cache(maxsize=16)
def _policy_of_digest(digest: str) -> RatingPolicy:
    return policy_of(json.loads(PolicyCopy.objects.get(digest=digest).body))


def rated_again(case: RatingCase) -> Rated:
    """The rating of a case put together anew from what it keeps."""
    return compose(policy_of_case(case).scheme, inputs_of(case.inputs))


def replays(case: RatingCase) -> bool:
    """Whether it comes out again bit for bit: every step, the grade and the PD."""
    again = rated_again(case)
    return result_digest(again) == case.result_digest and (again.grade or "") == case.grade and again.pd == case.pd


def model_grade(rated: Rated) -> str:
    """The grade of the model alone, before anything moved it; '' where there is none."""
    return next((str(step.after) for step in rated.steps if step.key == "grade"), "")
