"""Bring a file in on the page: preview, store, look at the refused rows, take it back."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile

from kequn.apps.customers.models import Customer
from kequn.apps.ingest.models import BatchState, ImportBatch

GOOD = "customer_id,name,country,industry_code\nX1,示例甲公司,CN,C39\nX2,示例乙公司,CN,G591\n"
ONE_BAD = GOOD + "X3,示例丙公司,CN,D39\n"


def upload(text: str, name: str = "customers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), content_type="text/csv")


def previewed(client, text: str, **more):
    answer = client.post("/imports/", {"file": upload(text), "act": "preview", **more})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    return client.get(answer.url)


def test_a_preview_stores_nothing_and_says_what_it_would_store(sign_in):
    client, before = sign_in("segment"), Customer.objects.count()
    page = previewed(client, GOOD)
    assert page.context["batch"]["is_preview"]
    assert page.context["total"]["read"] == 2
    assert Customer.objects.count() == before


def test_what_was_previewed_is_stored_and_can_be_taken_back(sign_in):
    client, before = sign_in("administrator"), Customer.objects.count()
    number = previewed(client, GOOD).context["batch"]["id"]
    stored = client.post(f"/imports/{number}/store/")
    assert Customer.objects.count() == before + 2
    batch = ImportBatch.objects.latest("id")
    assert stored.url == f"/imports/{batch.id}/"
    client.post(f"/imports/{batch.id}/undo/")
    batch.refresh_from_db()
    assert batch.state == BatchState.UNDONE
    assert Customer.objects.count() == before


def test_a_refused_row_is_shown_with_its_place_and_reason(sign_in):
    page = previewed(sign_in("segment"), ONE_BAD)
    assert page.context["total"]["refused"] == 1
    refusal = page.context["lists"][0]["rows"][0]
    assert refusal["row"] == 4
    assert "D39" in refusal["text"]


def test_with_nothing_to_lose_one_bad_row_refuses_the_file(sign_in):
    page = previewed(sign_in("segment"), ONE_BAD, mode="file")
    assert page.context["total"]["refused"] == 3


def test_a_wrong_file_is_refused_with_its_reasons_and_stands_in_the_history(sign_in):
    client = sign_in("segment")
    page = client.post("/imports/", {"file": upload("a,b\n1,2\n", "mystery.csv"), "act": "preview"}, follow=True)
    assert page.context["questions"]["reasons"]
    assert page.context["batch"]["file_name"] == "mystery.csv"
    assert "mystery.csv" in client.get("/imports/").content.decode()
    assert "/tmp" not in page.content.decode()


def test_a_file_that_cannot_be_read_is_said_before_it_is_kept(sign_in):
    page = sign_in("segment").post("/imports/", {"file": upload("x", "photo.png")})
    assert page.status_code == 422
    assert ".xlsx" in page.content.decode()


def test_an_unstated_unit_is_asked_on_the_page_and_the_answer_is_taken(sign_in):
    client = sign_in("administrator")
    page = previewed(client, "customer_id,name,registered_capital\nX1,示例甲公司,5\n")
    assert page.context["questions"]["unit"]
    number = page.context["batch"]["id"]
    again = client.post(f"/imports/{number}/again/", {"unit": "万元"}, follow=True)
    assert again.context["batch"]["is_preview"]
    assert again.context["total"]["new"] == 1


def test_an_unclear_encoding_is_asked_with_a_preview_of_each(sign_in):
    client, text = sign_in("segment"), "customer_id,name\nX1,臺灣電力股份有限公司國際業務處\n"
    file = SimpleUploadedFile("customers.csv", text.encode("big5"))
    page = client.post("/imports/", {"file": file}, follow=True)
    samples = {one["code"]: one["sample"] for one in page.context["questions"]["encodings"]}
    assert "臺灣電力" in samples["big5"]
    again = client.post(f"/imports/{page.context['batch']['id']}/again/", {"encoding": "big5"}, follow=True)
    assert again.context["total"]["new"] == 1


STRANGE = "客户号,公司名称,注册资金,备注\nX1,示例甲公司,5,好\n"


def test_columns_are_mapped_once_and_the_mapping_is_used_again(sign_in):
    client = sign_in("administrator")
    page = previewed(client, STRANGE)
    number = page.context["batch"]["id"]
    columns = client.get(f"/imports/{number}/columns/0/?kind=customers").context["columns"]
    assert [one["target"] for one in columns] == ["customer_id", "name", "registered_capital", ""]
    answers = {"kind": "customers", "name": "台账", "field-0": "customer_id", "field-1": "name"}
    answers |= {"field-2": "registered_capital", "unit-2": "万元", "field-3": "-"}
    done = client.post(f"/imports/{number}/columns/0/", answers, follow=True)
    assert done.context["batch"]["is_preview"], done.content.decode()[-2000:]
    assert previewed(client, STRANGE.replace("X1", "X2")).context["batch"]["mapping"] == "台账"
    kept = client.get("/imports/mappings/").context["mappings"][0]
    client.post(f"/imports/mappings/{kept['id']}/", {"act": "rename", "name": "月度台账"})
    assert client.get("/imports/mappings/").context["mappings"][0]["name"] == "月度台账"
    client.post(f"/imports/mappings/{kept['id']}/", {"act": "remove"})
    assert not client.get("/imports/mappings/").context["mappings"]


def test_the_same_field_for_two_columns_is_refused_and_the_answers_stay(sign_in):
    client = sign_in("segment")
    number = previewed(client, STRANGE).context["batch"]["id"]
    page = client.post(
        f"/imports/{number}/columns/0/", {"kind": "customers", "name": "x", "field-0": "name", "field-1": "name"}
    )
    assert page.status_code == 422
    assert page.context["columns"][0]["target"] == "name"


def test_a_preview_shows_old_and_new_of_every_changed_field(sign_in):
    client = sign_in("administrator")
    number = previewed(client, GOOD).context["batch"]["id"]
    client.post(f"/imports/{number}/store/")
    page = previewed(client, GOOD.replace("示例甲公司,CN", "示例甲公司,SG"))
    changed = page.context["lists"][0]
    assert (changed["outcome"], changed["rows"][0]["old"], changed["rows"][0]["new"]) == ("changed", "CN", "SG")


def test_what_is_hard_to_believe_is_shown_and_taken(sign_in):
    client = sign_in("administrator")
    text = GOOD.replace("X2,示例乙公司,CN,G591\n", "")
    number = previewed(client, text).context["batch"]["id"]
    client.post(f"/imports/{number}/store/")
    head = "customer_id,facility_id,committed（元）,drawn（元）,rate_pa,start_date,maturity_date\n"
    file = upload(head + "X1,FX1,100,200,3.9,2026-01-01,2025-01-01\n", "facilities.csv")
    page = client.post("/imports/", {"file": file}, follow=True)
    codes = [row["column"] for row in page.context["lists"][0]["rows"]]
    assert len(codes) == 3
    assert page.context["batch"]["storable"] == 1


def test_a_great_file_is_read_by_the_worker_and_its_page_waits(sign_in):
    from kequn.apps.ingest import background
    from kequn.apps.jobs.services import work_one

    client = sign_in("administrator")
    rows = "".join(f"L{number},示例公司{number},CN,C39\n" for number in range(20))
    text = "customer_id,name,country,industry_code\n" + rows
    file = SimpleUploadedFile("customers.csv", text.encode() + b"\n" * background.IN_REQUEST_BYTES)
    waiting = client.post("/imports/", {"file": file}, follow=True)
    assert "refresh" in waiting.content.decode()
    job = waiting.context["job"]
    assert work_one(worker="test", job_id=job.pk).state == "done"
    page = client.get(f"/imports/jobs/{job.pk}/", follow=True)
    assert page.context["total"]["new"] == 20


def test_a_preview_that_nobody_stores_is_aged_away(sign_in, settings):
    from datetime import timedelta

    from django.utils import timezone

    from kequn.apps.ingest.models import Upload
    from kequn.apps.ingest.uploads import path_of, sweep

    client = sign_in("segment")
    number = previewed(client, GOOD).context["batch"]["id"]
    kept = Upload.objects.get(batch_id=number)
    path = path_of(kept)
    Upload.objects.filter(pk=kept.pk).update(
        made_at=timezone.now() - timedelta(days=settings.KEQUN_KEEP_UPLOADS_DAYS + 1)
    )
    assert sweep() == 1
    assert not path.exists()
    assert not client.get(f"/imports/{number}/").context["batch"]["is_preview"]


def test_a_long_chinese_name_is_kept_where_a_file_system_takes_it(sign_in):
    client = sign_in("segment")
    answer = client.post("/imports/", {"file": upload(GOOD, "分行报送台账" * 30 + ".csv")}, follow=True)
    assert answer.context["batch"]["is_preview"]


def test_an_encoding_that_is_not_offered_is_left_aside(sign_in):
    page = previewed(sign_in("segment"), GOOD, encoding="\0")
    assert page.context["batch"]["is_preview"]


def test_no_file_is_said(sign_in):
    assert "Choose a file first" in sign_in("segment").post("/imports/", {}).content.decode()


def test_a_preview_of_somebody_else_cannot_be_stored(sign_in):
    number = previewed(sign_in("segment"), GOOD).context["batch"]["id"]
    before = Customer.objects.count()
    sign_in("administrator").post(f"/imports/{number}/store/")
    assert Customer.objects.count() == before


def test_only_who_may_undo_sees_and_uses_the_button(sign_in):
    assert "/imports/1/undo/" not in sign_in("segment").get("/imports/1/").content.decode()
    assert sign_in("segment").post("/imports/1/undo/").status_code == 403
    assert ImportBatch.objects.get(pk=1).state == BatchState.STORED


def test_the_workbooks_are_workbooks(sign_in):
    client = sign_in("administrator")
    for address in ("/imports/template/", "/imports/1/results/"):
        answer = client.get(address)
        assert answer.content[:2] == b"PK"
        assert re.search(r'filename="kequn-[\w-]+\.xlsx"', answer.headers["Content-Disposition"])
