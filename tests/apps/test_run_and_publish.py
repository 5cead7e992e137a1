"""A book is brought in, run and published; what the pages read is what the run found, at every date."""

import math
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments import listing
from kequn.apps.assessments.models import CustomerFigures, FindingSpan, Run, RunState, StagedChange
from kequn.apps.assessments.records import customer_rows
from kequn.apps.assessments.selectors import history_of, migration, value_counts
from kequn.apps.assessments.services import request_daily_run, request_run
from kequn.apps.assessments.tallies import Part
from kequn.apps.audit.models import AuditLine
from kequn.apps.audit.selectors import verify
from kequn.apps.customers.models import Customer
from kequn.apps.ingest.services import Wish, import_path
from kequn.apps.jobs.services import LeaseLost, take, work_one
from kequn.config.environment import BadSetting, time_of_day
from kequn.domain.errors import Misuse
from kequn.domain.rules import plain
from kequn.engine import record_from_rows
from kequn.policy import load_pack
from kequn.policy.planning import build_plan
from kequn.samples.book import AS_OF, write_sheets

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()


@pytest.fixture(scope="module")
def sheets(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    write_sheets(folder, 80)
    return folder


@pytest.fixture
def book(sheets):
    return import_path(path=sheets, person=ADMIN, wish=Wish(unit="元"))[0]


def judge(when: date = AS_OF) -> Run:
    job = request_run(person=ADMIN, as_of=when)
    done = work_one(worker="test", job_id=job.id)
    assert done.state == "done", done.error
    return Run.objects.get(id=done.result["run"])


def findings_of_files(run: Run) -> dict[str, dict]:
    file = Path(settings.KEQUN_HOME) / run.folder / "findings.parquet"
    return {row["customer_id"]: row for row in pq.read_table(file).to_pylist()}


def test_every_customer_gets_findings_and_the_run_one_audit_line(book):
    run = judge()
    assert run.state == RunState.PUBLISHED
    assert run.counts["opened"] == FindingSpan.objects.filter(opened_by=run).count() > 0
    assert CustomerFigures.objects.count() == Customer.objects.count() == 80
    assert AuditLine.objects.filter(action="run.publish").count() == 1
    assert not StagedChange.objects.exists()
    assert verify().is_whole


def test_what_stands_is_what_the_run_found(book):
    found = findings_of_files(judge())
    sizes = dict(FindingSpan.objects.filter(key="size").values_list("customer__code", "value"))
    assert sizes == {code: row["size"] for code, row in found.items()}
    families = dict(FindingSpan.objects.filter(key="industry_family").values_list("customer__code", "value"))
    assert families == {code: row["industry_family"] for code, row in found.items() if row["industry_family"]}
    exposures = dict(CustomerFigures.objects.values_list("customer__code", "exposure_gross"))
    assert exposures == {
        code: None if row["exposure_gross"] is None else round(row["exposure_gross"] * 100)
        for code, row in found.items()
    }


def test_the_live_path_agrees_with_the_run(book):
    run = judge()
    pack = load_pack(settings.KEQUN_PACK)
    plan, found = build_plan(pack, run.as_of), findings_of_files(run)
    for customer in Customer.objects.select_related("group"):
        rows = customer_rows(customer=customer, as_of=run.as_of, pack=pack)
        record = record_from_rows(
            plan,
            rows.customer,
            statements=rows.statements,
            facilities=rows.facilities,
            projects=rows.projects,
            account_months=rows.account_months,
            events=rows.events,
            as_of=run.as_of,
        )
        row = found[customer.code]
        for name, value in plain.evaluate(plan, record, run.as_of).items():
            if name in row and row[name] != value:
                assert isinstance(value, float), (customer.code, name, value, row[name])
                assert math.isclose(value, row[name], rel_tol=1e-12), (customer.code, name)


def test_the_same_book_again_changes_nothing(book):
    judge()
    again = judge()
    assert (again.counts["opened"], again.counts["closed"]) == (0, 0)


def test_changes_are_kept_with_their_cause_and_dates(book):
    judge()
    customer = Customer.objects.filter(findings__key="size", findings__value="micro").first()
    customer.industry_code = "J66"
    customer.save()
    run = judge(AS_OF + timedelta(days=30))
    span = FindingSpan.objects.get(customer=customer, key="size", valid_to__isnull=True)
    assert (span.cause, span.valid_from, span.opened_by) == ("facts", run.as_of, run)
    assert history_of(customer).filter(key="size").count() == 2


def test_migration_between_two_dates_reconciles(book):
    earlier = AS_OF - timedelta(days=120)
    judge(earlier)
    judge()
    moved = migration(person=ADMIN, key="credit_tier", before=earlier, after=AS_OF)
    assert moved.reconciles
    assert moved.customers == 80
    assert sum(moved.row_totals.values()) == sum(moved.column_totals.values()) == 80


def test_a_date_in_the_future_is_refused(book):
    with pytest.raises(Misuse, match="lies in the future"):
        request_run(person=ADMIN, as_of=date.today() + timedelta(days=2))
    assert not Run.objects.exists()


def test_an_earlier_date_is_not_published_over_a_later_one(book):
    judge()
    job = request_run(person=ADMIN, as_of=AS_OF - timedelta(days=30))
    done = work_one(worker="test", job_id=job.id)
    assert done.state == "failed"
    assert Run.objects.get(job_id=job.id).state == RunState.FAILED


def test_who_lost_the_lease_publishes_nothing(book, monkeypatch):
    from kequn.apps.assessments import services

    request_run(person=ADMIN, as_of=AS_OF)
    first = take(worker="slow")
    slow = services._evaluate

    def overtaken(*arguments, **options):
        from kequn.apps.jobs.models import Job

        results = slow(*arguments, **options)
        Job.objects.filter(id=first.job_id).update(leased_until="2020-01-01T00:00:00Z")
        assert take(worker="quick").fence == first.fence + 1
        return results

    monkeypatch.setattr(services, "_evaluate", overtaken)
    with pytest.raises(LeaseLost):
        services.do_run(first)
    assert not FindingSpan.objects.exists()
    assert not AuditLine.objects.filter(action="run.publish").exists()


def test_a_list_is_narrowed_by_findings_and_its_totals_agree(book):
    judge()
    wanted = listing.Wanted(classes={"size": "micro"})
    found = listing.wanted_customers(person=ADMIN, wanted=wanted)
    shown = next(
        one for one in value_counts(person=ADMIN, kind="dimension") if (one["key"], one["value"]) == ("size", "micro")
    )
    exposure = found.aggregate(gross=Sum("figures__exposure_gross"))["gross"] or 0
    assert Part.of(found).totals() == listing.totals(person=ADMIN, wanted=wanted)
    assert Part.of(found).totals().customers == found.count() == shown["customers"]
    assert Part.of(found).totals().exposure_gross == exposure == (shown["exposure_gross"] or 0)


def test_scope_holds_in_counts(book, staff):
    judge()
    Customer.objects.filter(code__endswith="1").update(owner=staff["wang"])
    mine = value_counts(person=staff["wang"], kind="dimension")
    assert (
        sum(one["customers"] for one in mine if one["key"] == "size")
        == Customer.objects.filter(owner=staff["wang"]).count()
    )


def test_an_officer_without_the_right_starts_no_run(staff):
    from kequn.domain.errors import Misuse

    with pytest.raises(Misuse):
        request_run(person=staff["wang"], as_of=AS_OF)


def test_outcomes_never_reach_a_snapshot(book):
    run = judge()
    folder = Path(settings.KEQUN_HOME) / run.snapshot.folder
    for file in folder.glob("*.parquet"):
        assert not {"defaulted", "default_date", "charged_off", "charged_off_amount"} & set(pq.read_schema(file).names)


def test_a_run_that_cannot_be_published_says_why(book):
    judge()
    job = request_run(person=ADMIN, as_of=AS_OF - timedelta(days=1))
    assert "published" in work_one(worker="test", job_id=job.id).error


def test_a_customer_brought_in_again_after_an_undo_is_judged_again(book, sheets):
    from kequn.apps.ingest.undoing import undo

    first = judge()
    undo(batch_id=book.pk, person=ADMIN)
    assert not FindingSpan.objects.exists()
    import_path(path=sheets, person=ADMIN, wish=Wish(unit="元"))
    assert judge().counts["opened"] == first.counts["opened"]


def test_results_that_were_thrown_away_are_made_anew_without_false_causes(book):
    import shutil

    run = judge()
    shutil.rmtree(Path(settings.KEQUN_HOME) / run.folder)
    customer = Customer.objects.filter(findings__key="size", findings__value="micro").first()
    customer.industry_code = "J66"
    customer.save()
    again = judge()
    assert set(FindingSpan.objects.filter(opened_by=again).values_list("customer__code", flat=True)) == {customer.code}
    assert FindingSpan.objects.get(customer=customer, key="size", valid_to__isnull=True).cause == "facts"


def test_the_totals_of_the_run_are_those_that_can_be_counted(book):
    judge()
    shown = value_counts(person=ADMIN, kind="segment")
    everybody = Part.of(Customer.objects.all())
    assert shown
    for row in shown:
        spans = FindingSpan.objects.filter(key=row["key"], value=row["value"], valid_to__isnull=True)
        gross = spans.aggregate(gross=Sum("customer__figures__exposure_gross"))["gross"]
        assert (row["customers"], row["exposure_gross"]) == (spans.count(), gross)
        assert everybody.by_value(row["key"])[row["value"]].exposure_gross == (gross or 0)


def test_who_is_counted_by_arrays_is_who_is_counted_by_rows(book):
    judge()
    part = Part.of(Customer.objects.filter(code__endswith="1"))
    spans = FindingSpan.objects.filter(valid_to__isnull=True, customer__code__endswith="1")
    micro, high = (set(spans.filter(key=key, value=value).values_list("customer", flat=True))
                   for key, value in (("size", "micro"), ("credit_tier", "low")))  # fmt: skip
    assert set(part.only(part.stand_in("size", "micro")).numbers.tolist()) == micro
    assert part.crossed("size", "credit_tier").get(("micro", "low"), (0, 0))[0] == len(micro & high)
    ranked = Customer.objects.filter(pk__in=part.numbers.tolist()).order_by(
        F("figures__exposure_gross").desc(nulls_last=True), "pk"
    )
    assert part.largest(5) == list(ranked.values_list("pk", flat=True)[:5])


def test_totals_are_counted_afresh_when_customers_went_away(book):
    judge()
    Customer.objects.filter(code__endswith="1").delete()
    sizes = [one["customers"] for one in value_counts(person=ADMIN, kind="dimension") if one["key"] == "size"]
    assert sum(sizes) == Customer.objects.count()


def test_the_run_of_the_day_is_asked_for_once_from_its_hour_on(book):
    hour, zone = time(3, 0), timezone.get_current_timezone()
    day = date(2026, 3, 5)
    assert request_daily_run(hour=hour, now=datetime(2026, 3, 5, 2, 59, tzinfo=zone)) is None
    job = request_daily_run(hour=hour, now=datetime(2026, 3, 5, 3, 0, tzinfo=zone))
    assert request_daily_run(hour=hour, now=datetime(2026, 3, 5, 3, 1, tzinfo=zone)) is None
    done = work_one(worker="test", job_id=job.id)
    assert done.state == "done", done.error
    assert Run.objects.get(id=done.result["run"]).as_of == day


def test_a_day_that_was_run_after_the_hour_or_an_empty_book_needs_no_run_of_the_day(sheets):
    now = timezone.localtime()
    midnight, late = time(0, 0), now.time()
    assert request_daily_run(hour=midnight, now=now) is None
    import_path(path=sheets, person=ADMIN, wish=Wish(unit="元"))
    judge(now.date())
    assert request_daily_run(hour=midnight, now=now) is None
    Run.objects.update(started_at=now - timedelta(seconds=1))
    assert request_daily_run(hour=late, now=now) is not None


@pytest.mark.parametrize("said", ["soon", "25:00", "03:00+08:00"])
def test_an_hour_that_is_none_stops_the_start(said, monkeypatch):
    monkeypatch.setenv("KEQUN_DAILY_RUN", said)
    with pytest.raises(BadSetting, match="KEQUN_DAILY_RUN"):
        time_of_day("KEQUN_DAILY_RUN")
