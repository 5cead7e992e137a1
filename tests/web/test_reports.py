"""Reports: of one customer at once, of a list in the background, and never of somebody else's customers."""

import io
import zipfile

import pytest
from django.utils.html import escape

pytestmark = pytest.mark.django_db


def some_code(manager: str = "demo-manager") -> str:
    from kequn.apps.customers.models import Customer

    return Customer.objects.filter(owner__username=manager).order_by("code").first().code


def foreign_code() -> str:
    from kequn.apps.customers.models import Customer

    return Customer.objects.exclude(owner__username="demo-manager").order_by("code").first().code


@pytest.mark.parametrize(("form", "start"), [("pdf", b"%PDF"), ("docx", b"PK"), ("xlsx", b"PK")])
def test_a_manager_takes_the_report_of_a_customer_of_theirs(sign_in, form, start):
    answer = sign_in("manager").get(f"/customers/{some_code()}/report.{form}")
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert "attachment" in answer["Content-Disposition"]


def test_taking_a_report_out_is_written_down(sign_in):
    from kequn.apps.audit.models import AuditLine

    sign_in("manager").get(f"/customers/{some_code()}/report.pdf")
    last = AuditLine.objects.order_by("-id").first()
    assert (last.actor, last.action, last.subject) == ("user:demo-manager", "briefings.report", some_code())


def test_no_report_of_a_customer_outside_the_scope(sign_in):
    assert sign_in("manager").get(f"/customers/{foreign_code()}/report.pdf").status_code == 404


def test_an_unknown_format_is_no_page(sign_in):
    assert sign_in("manager").get(f"/customers/{some_code()}/report.exe").status_code == 404


def work_on(batch) -> None:
    """The worker takes the job of this batch, whatever else waits."""
    from kequn.apps.jobs.models import Job
    from kequn.apps.jobs.services import work_one

    work_one(worker="test", job_id=Job.objects.get(key=f"report-batch-{batch.pk}").pk)


def test_reports_of_a_list_are_made_by_a_worker_and_hold_only_visible_customers(sign_in, settings):
    from kequn.apps.briefings.models import ReportBatch
    from kequn.apps.customers.models import Customer

    client = sign_in("manager")
    client.post("/reports/", {"query": "", "format": "pdf"})
    batch = ReportBatch.objects.latest("id")
    assert str(batch.total) in client.get("/reports/").content.decode()
    work_on(batch)
    archive = b"".join(client.get(f"/reports/{batch.pk}/archive/").streaming_content)
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    mine = Customer.objects.filter(owner__username="demo-manager").values_list("code", flat=True)
    assert sorted(names) == sorted(f"{code}.pdf" for code in mine)
    (settings.KEQUN_HOME / "reports" / f"{batch.pk}.zip").unlink()
    assert client.get(f"/reports/{batch.pk}/archive/").status_code == 404


def test_an_archive_is_only_for_who_asked_for_it(sign_in):
    from kequn.apps.briefings.models import ReportBatch

    sign_in("manager").post("/reports/", {"query": "", "format": "pdf"})
    batch = ReportBatch.objects.latest("id")
    assert sign_in("administrator").get(f"/reports/{batch.pk}/archive/").status_code == 404
    sign_in("administrator").post(f"/reports/{batch.pk}/cancel/")
    batch.refresh_from_db()
    assert batch.state == "waiting"


def test_a_cancelled_batch_is_not_made(sign_in):
    from kequn.apps.briefings.models import ReportBatch

    client = sign_in("manager")
    client.post("/reports/", {"query": "", "format": "pdf"})
    batch = ReportBatch.objects.latest("id")
    client.post(f"/reports/{batch.pk}/cancel/")
    work_on(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.file, batch.made) == ("cancelled", "", 0)


def test_a_batch_that_breaks_down_says_so_and_is_made_at_the_next_try(sign_in, settings, tmp_path):
    from kequn.apps.briefings.models import ReportBatch
    from kequn.apps.jobs.models import Job

    client, home = sign_in("manager"), settings.KEQUN_HOME
    client.post("/reports/", {"query": "", "format": "xlsx"})
    batch = ReportBatch.objects.latest("id")
    settings.KEQUN_HOME = tmp_path / "full disk"
    settings.KEQUN_HOME.write_text("no folder")
    work_on(batch)
    batch.refresh_from_db()
    assert batch.state == "failed"
    assert "could not be made" in client.get("/reports/").content.decode()
    settings.KEQUN_HOME = home
    Job.objects.update(not_before="2020-01-01T00:00Z")
    work_on(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.error) == ("done", "")


def test_a_list_without_customers_says_so(sign_in):
    client = sign_in("manager")
    answer = client.post("/reports/", {"query": "q=nobody-is-called-this", "format": "pdf"}, follow=True)
    assert escape("there are no customers to report on") in answer.content.decode()


def test_the_overview_holds_what_the_reader_may_see(sign_in):
    import io

    from python_calamine import CalamineWorkbook

    from kequn.apps.customers.models import Customer

    def customers_said(role: str) -> str:
        content = sign_in(role).get("/reports/portfolio.xlsx").content
        rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        return next(row[1] for row in rows if row[0] == "Customers")

    assert customers_said("head") == str(Customer.objects.count())
    assert customers_said("manager") == str(Customer.objects.filter(owner__username="demo-manager").count())
