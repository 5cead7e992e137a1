"""The pages of ratings: what is typed is read or refused in words, and nobody reads what lies outside their scope."""

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.ratings.kept import inputs_of, inputs_text
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.domain.rating.composing import Inputs
from kequn.domain.rating.spreading import check
from kequn.policy.statement_forms import statement_forms
from kequn.web.views.spread import _amounts, _check

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["1.5", "-1级", "++1", "²", "-", "9" * 30])
def test_an_override_that_cannot_be_read_is_refused_and_changes_nothing(signed_in, rated, typed):
    analyst = signed_in("analyst", "zh-hans")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    given = {"act": "save", "reason": "peers", "text": "x"}
    analyst.post(began.url, given | {"notches": "-1"})
    answer = analyst.post(began.url, given | {"notches": typed})
    assert answer.status_code == 422
    assert "不是整数级数" in answer.content.decode()
    assert RatingCase.objects.get(customer=rated, state=RatingState.DRAFT).override_notches == -1


@pytest.mark.parametrize(("typed", "read"), [("+1", 1), ("－1", -1), (" -2 ", -2), ("0", None), ("", None)])
def test_an_override_is_read_with_one_sign_of_either_keyboard(signed_in, rated, typed, read):
    analyst = signed_in("analyst")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    analyst.post(began.url, {"act": "save", "reason": "peers", "text": "x", "notches": typed})
    assert RatingCase.objects.get(customer=rated, state=RatingState.DRAFT).override_notches == read


def test_strange_digits_in_marks_and_addresses_break_no_page(signed_in, rated):
    analyst = signed_in("analyst")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    assert analyst.post(began.url, {"act": "save", "mark-management": "²"}).status_code == 422
    assert analyst.get("/ratings/?after=²").status_code == 200


@pytest.fixture
def supported(rated, sun):
    """A case of the analyst's customer, supported by a parent and a guarantor that the analyst may not see."""
    from kequn.apps.customers.models import Customer, Guarantee, Ownership
    from kequn.apps.customers.selectors import visible_to

    far = Customer.objects.exclude(pk__in=visible_to(sun).values("pk")).order_by("pk").first()
    case = RatingCase.objects.get(customer=rated, state=RatingState.APPROVED)
    Ownership.objects.filter(customer=rated).delete()
    Guarantee.objects.filter(customer=rated).delete()
    since = {"customer": rated, "from_date": case.as_of}
    Ownership.objects.create(**since, parent=far, relation="control", share=1)
    Guarantee.objects.create(**since, guarantor=far, amount=100, currency="CNY")
    inputs = inputs_of(case.inputs)
    facts = inputs.facts | {"parent_grade": "K12", "guarantor_grade": "K12"}
    RatingCase.objects.filter(pk=case.pk).update(inputs=inputs_text(Inputs(facts, inputs.answers)))
    return case


@pytest.mark.parametrize(("role", "sees"), [("analyst", False), ("head", True)])
def test_the_grade_of_a_supporter_outside_the_scope_is_not_told(signed_in, supported, role, sees):
    page = signed_in(role).get(f"/ratings/{supported.pk}/").content.decode()
    assert ("parent graded K12" in page, "guarantor graded K12" in page) == (sees, sees)
    assert ("a customer outside your scope" in page) is not sees


def test_the_page_of_a_customer_takes_as_many_queries_however_often_it_was_rated(
    signed_in, rated, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, address = signed_in("analyst"), f"/customers/{rated.code}/rating/"
    client.get(address)
    with CaptureQueriesContext(connection) as once:
        client.get(address)
    case = RatingCase.objects.filter(customer=rated).first()
    for _ in range(5):
        case.pk, case.state = None, RatingState.REPLACED
        case.save(force_insert=True)
    with django_assert_max_num_queries(len(once)):
        client.get(address)


def test_what_a_statement_in_a_foreign_currency_is_off_by_is_shown_in_yuan(rated):
    from kequn.web import labels

    now = rated.statements.order_by("-period_end").first()
    forms, day = statement_forms(labels.pack(), now.period_end), now.period_end
    one = forms.checks[0][0]
    now.currency, now.total_assets = "USD", (now.total_assets or 0) + 1_000_000_00
    found = check(one, _amounts(now), {})
    assert found.outcome == "fails"
    assert _check(one, now, None, day)["gap"] == labels.in_yuan(found.gap, "USD", day) != found.gap


@pytest.mark.parametrize(
    ("status", "mark"), [("memory", "not verified"), ("illustration", "illustration"), ("checked", "")]
)
@pytest.mark.parametrize("page", ["rating_portfolio", "rating_models", "spread"])
def test_pages_of_ratings_mark_what_nobody_verified(page, status, mark):
    shown = {"policy": {"status": status}, "customer": {"code": "C", "name": "C"}}
    with override("en"):
        made = render_to_string(f"kequn/{page}.html", shown)
    assert ("kq-unverified" in made) is bool(mark)
    assert mark in made


def test_a_customer_that_no_model_fits_is_told_which_would_and_what_is_missing(signed_in, plain_customer):
    answer = signed_in("administrator").get(f"/customers/{plain_customer.code}/rating/").content.decode()
    assert "Which model would fit" in answer
    for said in ("Corporate", "Micro firm", "Employees"):
        assert said in answer


@pytest.fixture
def plain_customer(db):
    from kequn.apps.customers.models import Customer

    return Customer.objects.create(
        code="NEW-1", name="新客户", country="CN", industry_code="C39", made_at=timezone.now()
    )


def test_lists_of_ratings_begin_with_the_largest_exposure_and_pages_leave_nobody_out():
    from kequn.apps.ratings.selectors import below, unrated, work_list
    from kequn.web.views import ratings

    admin = LocalAdministrator()
    asked = {"as_of": ratings.rating_date(), "soon": 60}
    for found, path in (
        (work_list(person=admin, part="approved", **asked), "customer__figures__exposure_gross"),
        (unrated(person=admin), "figures__exposure_gross"),
    ):
        whole = list(found)
        amounts = [ratings._token(one).partition(":")[0] for one in whole]
        known = [int(one) for one in amounts if one]
        assert known == sorted(known, reverse=True)
        assert amounts[len(known) :] == [""] * (len(amounts) - len(known))
        for at in range(len(whole) - 1):
            after = ratings._after(ratings._token(whole[at]))
            assert next(iter(below(found, path, after))).pk == whole[at + 1].pk


def test_who_has_no_rating_in_force_is_counted_and_listed(signed_in):
    from kequn.apps.customers.models import Customer

    rated = RatingCase.objects.filter(state=RatingState.APPROVED).count()
    answer = signed_in("administrator").get("/ratings/?part=unrated").content.decode()
    assert f"Without a rating {Customer.objects.count() - rated}" in answer
