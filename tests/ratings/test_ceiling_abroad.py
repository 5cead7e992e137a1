"""A customer abroad whose country has no known income group is held by a careful ceiling, and told so."""

import pytest

from kequn.apps.ratings.kept import inputs_of
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.services import policy_at, rating_date
from kequn.domain.rating.composing import Inputs, compose
from kequn.domain.rating.wording import words_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("group", "ceiling", "said"), [(None, "K09", "not known: a careful ceiling"), ("LMC", "K07", "its place is K07")]
)
def test_a_customer_abroad_is_held_by_a_ceiling_also_where_its_income_group_is_not_known(rated, group, ceiling, said):
    kept = inputs_of(RatingCase.objects.get(customer=rated, state=RatingState.APPROVED).inputs)
    scheme = policy_at(rating_date()).scheme
    found = compose(scheme, Inputs(kept.facts | {"geography": "international", "income_group": group}, kept.answers))
    step = next(one for one in found.steps if one.key == "ceiling")
    assert step.inputs["ceiling"] == ceiling
    assert scheme.scale.place(step.after) >= scheme.scale.place(ceiling)
    assert said in words_of(scheme, found, step).en
