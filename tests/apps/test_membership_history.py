"""Members at a date, as they were snapshotted then; why they came and went; the World Bank's move of July 2026."""

from datetime import date

import pytest
from django.utils import timezone

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.models import User
from kequn.apps.assessments import pins
from kequn.apps.assessments.membership import ENTERED, LEFT, known_now, moves, replay_of
from kequn.apps.assessments.models import FindingSpan, Pin, Run
from kequn.apps.assessments.moving import sides_of
from kequn.apps.assessments.segment_policy import Asked, draft_segment, submit_segment
from kequn.apps.assessments.selectors import migration, standing
from kequn.apps.assessments.services import request_replay, request_run
from kequn.apps.customers.models import Customer, FactValue
from kequn.apps.governance.approving import decide
from kequn.apps.governance.models import Proposal
from kequn.apps.governance.selectors import own_pack
from kequn.apps.jobs.services import work_one
from kequn.domain.errors import Misuse

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()
KEY = "listed_large"


@pytest.fixture
def xu(db):
    return User.objects.create(username="xu", role="segment", scope="all")


@pytest.fixture
def zhou(db):
    return User.objects.create(username="zhou", role="head", scope="all")


@pytest.fixture
def define(xu, zhou):
    def publish(key: str, rule: str, when: date) -> None:
        row = {"name": key, "zh": f"客群{key}", "en": f"Segment {key}", "unknown": "out", "rule": rule}
        proposal = submit_segment(person=xu, version=draft_segment(person=xu, asked=Asked(row, when)))
        second = User.objects.get_or_create(username="wu", defaults={"role": "head", "scope": "all"})[0]
        for one in (zhou, second)[: proposal.checkers]:  # two where the amount is not known, as before a first run
            decide(person=one, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)

    return publish


def judge(when: date) -> Run:
    done = work_one(worker="test", job_id=request_run(person=ADMIN, as_of=when).id)
    assert done.state == "done", done.error
    return Run.objects.get(id=done.result["run"])


def members(key: str, when: date | None = None) -> set[str]:
    return set(standing(when).filter(key=key, value="true").values_list("customer__code", flat=True))


def there(countries: dict[str, str]) -> None:
    """Customers by their code, each with its country."""
    now = timezone.now()
    Customer.objects.bulk_create(
        Customer(code=code, name=f"客户{code}", country=country, made_at=now) for code, country in countries.items()
    )


def know(code: str, when: date, **facts: object) -> None:
    """What becomes known of a customer on a day."""
    for name, value in facts.items():
        stored = {"truth": value} if isinstance(value, bool) else {"number": value}
        FactValue.objects.create(customer=Customer.objects.get(code=code), name=name, known_from=when, **stored)


def test_in_july_2026_exactly_five_countries_join_the_upper_middle_and_high_income(define):
    countries = [row["iso2"] for row in own_pack().standards.at("countries", date.max)]
    there({f"X{one}": one for one in countries})
    define("umc_hic_abroad", "geography = 'international' and income_group in ('UMC', 'HIC')", date(2026, 1, 1))
    judge(date(2026, 6, 30))
    before = members("umc_hic_abroad")
    run = judge(date(2026, 7, 1))
    gained = members("umc_hic_abroad") - before
    assert gained == {"XJO", "XFM", "XPH", "XLK", "XVN"}  # Jordan, Micronesia, the Philippines, Sri Lanka, Viet Nam
    assert before <= members("umc_hic_abroad")
    spans = FindingSpan.objects.filter(key="umc_hic_abroad", opened_by=run)
    assert set(spans.values_list("cause", flat=True)) == {"reference"}


def test_members_of_ten_dates_are_those_snapshotted_then(define, xu, zhou):
    """Facts, policies and pins come in over ten months; the spans answer for each date what stood on it."""
    days = [date(2026, month, 15) for month in range(1, 11)]
    there({f"C{at}": "CN" for at in range(8)})
    for at in range(8):
        know(f"C{at}", date(2025, 12, 1), is_listed=at % 2 == 0, employees=100.0 * at)

    def pin(code: str, *, is_in: bool, until: date, since: date) -> None:
        wish = pins.Wish(KEY, is_in, "委员会决议", "徐", since, until)
        asked = pins.ask_for_pin(person=xu, customer=Customer.objects.get(code=code), wish=wish)
        decide(person=zhou, number=asked.proposal_id, approves=True, seen_digest=asked.proposal.shown_digest)

    script = {
        days[0]: lambda: define(KEY, "is_listed and employees >= 200", date(2026, 1, 1)),
        days[2]: lambda: know("C1", days[2], is_listed=True, employees=900.0),
        days[3]: lambda: pin("C3", is_in=True, since=days[3], until=days[6]),
        days[4]: lambda: define(KEY, "is_listed and employees >= 500", days[4]),
        days[5]: lambda: know("C2", days[5], employees=5000.0),
        days[7]: lambda: pin("C6", is_in=False, since=days[7], until=days[9]),
        days[8]: lambda: know("C1", days[8], is_listed=False),
    }  # fmt: skip
    seen = {}
    for day in days:
        script.get(day, lambda: None)()
        judge(day)
        seen[day] = members(KEY)
    assert {day: members(KEY, day) for day in days} == seen
    assert seen[days[0]] == {"C2", "C4", "C6"}
    assert seen[days[2]] == {"C1", "C2", "C4", "C6"}
    assert seen[days[3]] == seen[days[2]] | {"C3"}
    assert seen[days[4]] == {"C1", "C3", "C6"}
    assert seen[days[6]] == {"C1", "C2", "C6"}
    assert seen[days[7]] == {"C1", "C2"}
    assert seen[days[9]] == {"C2", "C6"}

    causes = {(one.customer.code, one.when, one.way): one.cause
              for one in moves(person=ADMIN, key=KEY, since=days[0], until=days[9])}  # fmt: skip
    assert causes == {
        ("C1", days[2], ENTERED): "facts", ("C3", days[3], ENTERED): "pin", ("C2", days[4], LEFT): "policy",
        ("C4", days[4], LEFT): "policy", ("C2", days[5], ENTERED): "facts", ("C3", days[6], LEFT): "pin",
        ("C6", days[7], LEFT): "pin", ("C1", days[8], LEFT): "facts", ("C6", days[9], ENTERED): "pin",
    }  # fmt: skip
    matrix = migration(person=ADMIN, key=KEY, before=days[0], after=days[9])
    assert matrix.reconciles
    assert (matrix.row_totals["true"], matrix.column_totals["true"]) == (3, 2)

    entered = FindingSpan.objects.get(customer__code="C1", key=KEY, opened_by__as_of=days[2])
    before, after = sides_of(entered, closing=False)
    read = {side.run.as_of: {one.readings[0].name: one.readings[0].value for one in side.reason.conditions}
            for side in (before, after)}  # fmt: skip
    assert read == {
        days[1]: {"is_listed": False, "employees": 100.0}, days[2]: {"is_listed": True, "employees": 900.0},
    }  # fmt: skip

    know("C5", date(2025, 12, 2), is_listed=True)  # found out late: it was listed all the time
    done = work_one(worker="test", job_id=request_replay(person=ADMIN, as_of=days[5]).id)
    assert done.state == "done", done.error
    now = known_now(person=ADMIN, key=KEY, replay=replay_of(days[5]), unknown_means="out")
    assert {one.code for one in now} == seen[days[5]] | {"C5"}
    assert members(KEY, days[5]) == seen[days[5]]
    assert Pin.objects.count() == 2


def test_a_pin_in_and_a_pin_out_that_were_ended_early_leave_the_rule_to_decide(define, xu, zhou):
    first, second, third = (date(2026, month, 15) for month in (1, 2, 3))
    there({"C1": "CN", "C2": "CN", "C3": "CN"})
    for code, listed in (("C1", False), ("C2", True), ("C3", True)):
        know(code, date(2025, 12, 1), is_listed=listed)
    define(KEY, "is_listed", date(2026, 1, 1))
    asked = []
    for code, is_in in (("C1", True), ("C2", False)):
        wish = pins.Wish(KEY, is_in, "委员会决议", "徐", first, date(2099, 1, 1))
        asked.append(pins.ask_for_pin(person=xu, customer=Customer.objects.get(code=code), wish=wish))
        decide(person=zhou, number=asked[-1].proposal_id, approves=True, seen_digest=asked[-1].proposal.shown_digest)
    judge(first)
    assert members(KEY) == {"C1", "C3"}
    for one in asked:
        ask = pins.ask_to_end(person=xu, number=one.pk, reason="情况已变")
        with pytest.raises(Misuse):
            decide(person=xu, number=ask.pk, approves=True, seen_digest=ask.shown_digest)
        assert pins.ending([one]) == {one.pk}
        decide(person=zhou, number=ask.pk, approves=True, seen_digest=ask.shown_digest)
        assert Pin.objects.get(pk=one.pk).ended_on == first
    judge(second)
    assert members(KEY) == {"C2", "C3"}
    know("C2", third, is_listed=False)
    judge(third)
    assert members(KEY) == {"C3"}
    causes = {(one.customer.code, one.when, one.way): one.cause
              for one in moves(person=ADMIN, key=KEY, since=first, until=third)}  # fmt: skip
    assert causes == {
        ("C1", second, LEFT): "pin", ("C2", second, ENTERED): "pin", ("C2", third, LEFT): "facts",
    }  # fmt: skip


def test_a_pin_ended_after_its_run_gives_way_when_the_same_date_is_judged_again(define, xu, zhou):
    day = date(2026, 1, 15)
    there({"C1": "CN"})
    know("C1", date(2025, 12, 1), is_listed=False)
    define(KEY, "is_listed", date(2026, 1, 1))
    wish = pins.Wish(KEY, True, "委员会决议", "徐", day, date(2099, 1, 1))
    asked = pins.ask_for_pin(person=xu, customer=Customer.objects.get(code="C1"), wish=wish)
    decide(person=zhou, number=asked.proposal_id, approves=True, seen_digest=asked.proposal.shown_digest)
    judge(day)
    assert members(KEY) == {"C1"}
    ask = pins.ask_to_end(person=xu, number=asked.pk, reason="情况已变")
    judge(day)
    assert members(KEY) == {"C1"}  # nothing changes before another person agrees
    decide(person=zhou, number=ask.pk, approves=True, seen_digest=ask.shown_digest)
    judge(day)
    assert members(KEY) == set()


def test_more_pins_than_one_statement_of_a_database_takes_are_laid_over(define):
    day = date(2026, 1, 15)
    there({f"C{at}": "CN" for at in range(1100)})
    define(KEY, "is_listed", date(2026, 1, 1))
    Pin.objects.bulk_create(
        Pin(customer=one, key=KEY, is_in=True, reason="委员会决议", owner="徐", valid_from=day,
            expires_on=date(2099, 1, 1), state="approved", maker="xu", made_at=timezone.now())
        for one in Customer.objects.all()
    )  # fmt: skip
    judge(day)
    assert len(members(KEY)) == 1100


def test_before_a_first_run_nobody_knows_the_amount_and_the_strictest_authority_decides(define):
    define(KEY, "is_listed", date(2026, 1, 1))
    proposal = Proposal.objects.get()
    assert (proposal.amount, proposal.checkers, proposal.state) == (None, 2, "approved")
