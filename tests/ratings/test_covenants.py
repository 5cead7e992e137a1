"""Covenants over the sample book: entered, tested, and a breach newly seen as a cause to rate anew."""

import hashlib
import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.explaining import known_of
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.assessments.standing_book import standing_book
from kequn.apps.audit.models import AuditLine
from kequn.apps.audit.services import canonical
from kequn.apps.customers.selectors import visible_to
from kequn.apps.deals.models import Covenant
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.agreeing import Wish, end, enter
from kequn.apps.ratings.covenants import asked, fact_of_book, fact_of_customer, in_force
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.rerating import rerate_book, rerate_customers
from kequn.domain.errors import Misuse, Refused
from kequn.policy.planning import rule_of

pytestmark = pytest.mark.django_db
FROM = date(2026, 6, 30)


@pytest.fixture
def plain(sun, rated):
    """A rated customer of the analyst's team that agreed to nothing yet."""
    found = RatingCase.objects.filter(state=RatingState.APPROVED, model="corporate", customer__team=sun.team)
    found = found.exclude(customer__rating_cases__state__in=("suggested", "draft", "proposed"))
    return found.exclude(customer__covenants__isnull=False).exclude(grade="D").order_by("-pk").first().customer


def wish(rule, name="杠杆 leverage", **more):
    return Wish(name, rule, FROM, "示例合同 illustration", **more)


def suggested(customer):
    return RatingCase.objects.filter(customer=customer, state=RatingState.SUGGESTED).first()


def test_a_breach_newly_seen_suggests_a_rating_and_names_the_covenant(sun, plain, signed_in):
    enter(person=sun, customer=plain, wish=wish("total_assets < 1"))
    case = suggested(plain)
    assert case is not None
    assert case.trigger == "breach" or case.grade != case.grade_before
    answer = signed_in("analyst").get(f"/ratings/{case.pk}/").content.decode()
    assert "Breached since the rating before" in answer
    assert "杠杆 leverage" in answer


def test_a_covenant_that_is_kept_or_cannot_be_told_suggests_nothing(sun, plain):
    enter(person=sun, customer=plain, wish=wish("total_assets > 1"))
    enter(person=sun, customer=plain, wish=wish("lowest_dscr > 99 and lowest_dscr < 1 or lowest_dscr is null", "空"))
    found = suggested(plain)
    assert found is None or found.trigger != "breach"


def test_a_breach_that_ends_takes_its_suggestion_back(sun, plain):
    made = enter(person=sun, customer=plain, wish=wish("total_assets < 1"))
    end(person=sun, customer=plain, number=made.pk, last=date(2026, 7, 1))
    assert suggested(plain) is None or suggested(plain).trigger != "breach"


def test_the_book_and_one_customer_find_the_same_breaches():
    run, pack = latest_published(), policy_in_use()
    today = timezone.localdate()
    whole = fact_of_book(pack, run.as_of, today)
    assert len(whole) == Covenant.objects.values("customer").distinct().count() > 0
    for customer in visible_to(LocalAdministrator()).filter(code__in=whole):
        known = known_of(customer=customer, as_of=run.as_of, pack=pack)
        assert whole[customer.code] == fact_of_customer(known, customer, today), customer.code


def test_thresholds_of_one_figure_are_one_question_and_say_what_the_engine_says_of_each_rule():
    pack, standing, figures = policy_in_use(), standing_book(), {}
    texts = ["debt_to_assets <= 0.4", "0.5 >= debt_to_assets", "debt_to_assets > 0.3 and total_assets > 1"]
    for text in texts:
        rule = rule_of(pack, latest_published().as_of, text)
        says = asked(standing, pack, rule, figures)
        words = {1: True, 0: False, -1: None}
        whole = [words[int(one)] for one in standing.verdicts(pack, rule)]
        assert [says(at) for at in range(len(whole))] == whole
        assert {True, False} <= set(whole)
    assert len(figures) == 1


def test_rerating_the_book_suggests_the_same_breach_once(sun, plain):
    enter(person=sun, customer=plain, wish=wish("total_assets < 1"))
    number = suggested(plain).pk
    rerate_book(person=LocalAdministrator())
    rerate_customers(actor="x", customers=[plain])
    assert suggested(plain).pk == number


@pytest.mark.parametrize(
    "bad", [wish("no_such_fact < 1"), wish("total_assets"), wish("total_assets < 1", ""),
            wish("total_assets < 1", "a;b"), wish("total_assets < 1", "长" * 61),
            wish("total_assets < 1", facility="nobody's"), wish("total_assets < 1", to_date=date(2020, 1, 1)),
            Wish("甲", "total_assets < 1", FROM, "长" * 301)],
)  # fmt: skip
def test_what_cannot_be_read_or_kept_is_refused_and_nothing_is_written(sun, plain, bad):
    with pytest.raises(Refused):
        enter(person=sun, customer=plain, wish=bad)
    assert not plain.covenants.exists()


def test_a_name_stands_once_a_customer_and_only_who_rates_may_enter_or_end(sun, person, plain):
    made = enter(person=sun, customer=plain, wish=wish("total_assets > 1"))
    with pytest.raises(Refused):
        enter(person=sun, customer=plain, wish=wish("total_assets > 2"))
    for role in ("head", "auditor", "segment"):
        with pytest.raises(Misuse):
            end(person=person(role), customer=plain, number=made.pk, last=FROM)


def test_one_agreed_anew_keeps_its_name_from_the_day_after_the_one_before(sun, plain):
    made = enter(person=sun, customer=plain, wish=wish("total_assets > 1"))
    end(person=sun, customer=plain, number=made.pk, last=date(2026, 8, 31))
    with pytest.raises(Refused):
        enter(person=sun, customer=plain, wish=Wish(made.name, "total_assets > 2", date(2026, 8, 31), "合同"))
    with pytest.raises(Refused):
        enter(person=sun, customer=plain, wish=Wish(made.name, "total_assets > 2", date(2026, 1, 1), "合同"))
    anew = enter(person=sun, customer=plain, wish=Wish(made.name, "total_assets > 2", date(2026, 9, 1), "合同"))
    assert [one.pk for one in in_force(date(2026, 8, 31)).filter(customer=plain)] == [made.pk]
    assert [one.pk for one in in_force(date(2026, 9, 1)).filter(customer=plain)] == [anew.pk]


def test_one_with_a_last_day_can_be_ended_earlier_and_never_later(sun, plain, signed_in):
    ends = timezone.localdate() + timedelta(days=400)
    made = enter(person=sun, customer=plain, wish=wish("total_assets > 1", to_date=ends))
    assert 'value="end"' in signed_in("analyst").get(f"/customers/{plain.code}/covenants/").content.decode()
    for last in (ends, ends + timedelta(days=1)):
        with pytest.raises(Refused):
            end(person=sun, customer=plain, number=made.pk, last=last)
    assert end(person=sun, customer=plain, number=made.pk, last=FROM).to_date == FROM


def test_one_agreed_after_the_last_run_is_in_force_today_on_the_facts_of_the_run(sun, plain, signed_in):
    today = timezone.localdate()
    assert latest_published().as_of < today
    enter(person=sun, customer=plain, wish=Wish("新约", "total_assets < 1", today, "合同"))
    assert suggested(plain) is not None
    assert fact_of_book(policy_in_use(), latest_published().as_of, today)[plain.code] == "新约"
    assert "not in force" not in signed_in("analyst").get(f"/customers/{plain.code}/covenants/").content.decode()


def test_the_chain_takes_what_is_stored_of_a_covenant(sun, plain):
    facility = plain.facilities.first()
    made = enter(
        person=sun, customer=plain, wish=wish("total_assets>1", facility=facility.facility_id if facility else "")
    )
    stored = [made.pk, plain.pk, made.facility_id, made.name, made.rule, made.from_date, None, made.source]
    wrote = json.loads(AuditLine.objects.get(action="ratings.covenant", subject__startswith=plain.code).detail)["wrote"]
    assert wrote["deals.Covenant"]["digest"] == hashlib.sha256(f"{canonical(stored)}\n".encode()).hexdigest()


def test_the_page_keeps_what_was_typed_where_the_rule_is_refused(signed_in, plain):
    posted = {"act": "enter", "name": "甲", "rule": "debt_to_asets <= 0.7", "from": "2026-06-30", "source": "合同"}
    answer = signed_in("analyst").post(f"/customers/{plain.code}/covenants/", posted)
    assert answer.status_code == 422
    assert "debt_to_asets &lt;= 0.7</textarea>" in answer.content.decode()
    assert "debt_to_assets" in answer.content.decode()  # the nearest word is offered


def test_a_covenant_entered_by_its_chinese_label_shows_verdict_value_and_threshold(signed_in, plain):
    posted = {"act": "enter", "name": "杠杆", "rule": "有息负债率 <= 0.000001", "from": "2026-06-30", "source": "合同"}
    client = signed_in("analyst")
    assert client.post(f"/customers/{plain.code}/covenants/", posted).status_code == 302
    answer = client.get(f"/customers/{plain.code}/covenants/").content.decode()
    assert "Debt to assets" in answer
    tab = client.get(f"/customers/{plain.code}/?tab=facilities").content.decode()
    assert "杠杆" in tab
