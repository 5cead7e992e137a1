"""Rows read = rows stored + rows refused, and every refusal says where, what was found and what was expected."""

import gzip
from datetime import timedelta

import pytest
from django.utils import timezone

from kequn.apps.assessments.models import Pin
from kequn.apps.customers.models import Contact, Customer, FactValue, Guarantee, Ownership, Statement
from kequn.apps.deals.models import Facility
from kequn.apps.ingest.models import BatchState, ImportBatch, Outcome, RowResult
from kequn.apps.ingest.undoing import KINDS, undo, work_of_people
from kequn.domain.errors import Refused

pytestmark = pytest.mark.django_db

CUSTOMERS = "客户编号,客户名称,统一社会信用代码,国家或地区,行业代码,从业人员,注册资本（万元）\n"
GOOD = "C1,甲电力,91110000600037341L,CN,D44,320,5000\n"


def reasons(batch):
    return [one["code"] for row in batch.rows.order_by("id") for one in row.findings]


def test_a_good_row_is_stored_with_its_facts(bring):
    batch = bring(CUSTOMERS + GOOD)
    customer = Customer.objects.get()
    assert (batch.rows_read, batch.rows_stored, batch.rows_refused) == (1, 1, 0)
    assert (customer.code, customer.uscc, customer.industry_code) == ("C1", "91110000600037341L", "D44")
    assert FactValue.objects.get(name="registered_capital").minor == 5000 * 10_000 * 100


def test_bad_rows_stop_no_good_ones(bring):
    batch = bring(CUSTOMERS + GOOD + "C2,乙,91110000600037341X,Chinia,44,-3,很多\n,丙,,,,,\n")
    assert (batch.rows_read, batch.rows_stored, batch.rows_refused) == (3, 1, 2)
    columns = {one["column"] for one in batch.rows.get(row=3).findings}
    assert columns == {"统一社会信用代码", "国家或地区", "行业代码", "从业人员", "注册资本（万元）"}
    finding = batch.rows.get(row=3).findings[0]
    assert finding["found"]
    assert finding["expected"]
    assert finding["zh"] != finding["en"]


def test_the_same_file_again_changes_nothing(bring):
    bring(CUSTOMERS + GOOD)
    again = bring(CUSTOMERS + GOOD)
    assert again.counts["rows"] == {"new": 0, "changed": 0, "unchanged": 1, "refused": 0}
    assert Customer.objects.count() == 1


def test_a_dry_run_counts_and_stores_nothing(bring):
    batch = bring(CUSTOMERS + GOOD, dry_run=True)
    assert batch.state == BatchState.CHECKED
    assert batch.counts["tables"]["customers"]["new"] == 1
    assert not Customer.objects.exists()
    assert RowResult.objects.filter(batch=batch).count() == 1


def test_strict_stores_nothing_when_one_row_is_refused(bring):
    batch = bring(CUSTOMERS + GOOD + "C2,,,,,,\n", strict=True)
    assert batch.state == BatchState.REFUSED
    assert (batch.rows_read, batch.rows_stored, batch.rows_refused) == (2, 0, 2)
    assert not Customer.objects.exists()


def test_a_unit_that_is_not_stated_is_asked(bring):
    with pytest.raises(Refused) as refused:
        bring("customer_id,name,registered_capital\nC1,甲,5000\n", unit="")
    finding = refused.value.findings[0]
    assert finding.code == "unit_unstated"
    assert finding.place.column == "registered_capital"
    assert "万元" in finding.expected
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rows_read) == (BatchState.REFUSED, 0)
    assert batch.findings[0]["code"] == "unit_unstated"


def test_a_unit_column_is_read_row_by_row(bring):
    bring("customer_id,name,registered_capital,unit\nC1,甲,5,万元\nC2,乙,5,million USD\n", unit="")
    found = dict(FactValue.objects.values_list("customer__code", "minor"))
    assert found == {"C1": 5_000_000, "C2": 500_000_000}
    assert FactValue.objects.get(customer__code="C2").currency == "USD"


def test_an_unknown_column_refuses_the_file_and_suggests(bring):
    with pytest.raises(Refused) as refused:
        bring("customer_id,name,employes\nC1,甲,5\n")
    assert refused.value.findings[0].expected == "employees"


def test_an_ignored_column_is_left_out(bring):
    assert bring("customer_id,name,备注\nC1,甲,好\n", ignored=frozenset({"备注"})).rows_stored == 1


def test_headers_may_be_english_labels(bring):
    assert bring("Customer ID,Customer name,Employees\nC1,Alpha,12\n").rows_stored == 1


def test_a_customer_is_matched_by_its_code_under_another_identifier(bring):
    bring(CUSTOMERS + GOOD)
    bring("customer_id,name,uscc\nX-9,甲电力,91110000600037341L\n", source="other")
    assert Customer.objects.count() == 1
    assert Customer.objects.get().identifiers.count() == 2


def test_code_and_identifier_that_point_at_two_customers_are_refused(bring):
    bring(CUSTOMERS + GOOD + "C2,乙,,CN,,,\n")
    batch = bring("customer_id,name,uscc\nC2,乙,91110000600037341L\n")
    assert reasons(batch) == ["two_customers"]


def test_the_same_key_with_other_values_is_refused_naming_the_first_row(bring):
    batch = bring("customer_id,name,country\nC1,甲,CN\nC1,甲,US\n")
    assert reasons(batch) == ["repeated"]
    assert "2" in batch.rows.get(outcome=Outcome.REFUSED).findings[0]["en"]


def test_a_child_of_a_refused_customer_is_refused_too(bring, tmp_path, admin):
    from kequn.apps.ingest.services import Wish, import_path

    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("customer_id,name,country\nC1,甲,Chinia\nC2,乙,CN\n", "utf-8")
    facilities = "customer_id,facility_id,product,committed（万元）\nC1,F1,term_loan,5\nC2,F2,term_loan,5\n"
    (tmp_path / "book" / "facilities.csv").write_text(facilities, "utf-8")
    batch = import_path(path=tmp_path / "book", person=admin, wish=Wish())[0]
    assert (batch.rows_read, batch.rows_refused) == (4, 2)
    assert [one.facility_id for one in Facility.objects.all()] == ["F2"]


def test_statements_keep_every_basis_side_by_side(bring):
    bring("customer_id,name\nC1,甲\n")
    head = "customer_id,period_end,months,flows,scope,standard,version,revenue（万元）\n"
    rows = "C1,2025-12-31,12,cumulative,consolidated,CAS,1,100\nC1,2025-12-31,12,cumulative,parent,CAS,1,60\n"
    batch = bring(head + rows + "C1,2025-12-31,7,cumulative,parent,CAS,2,60\n", name="statements.csv")
    assert Statement.objects.count() == 2
    assert batch.rows_refused == 1


def test_relations_become_ownership_or_guarantee(bring):
    bring("customer_id,name\nC1,甲\nC2,乙\n")
    head = "parent_id,child_id,relation,share,amount（万元）,group_label\n"
    batch = bring(
        head + "C1,C2,ownership,60%,,甲集团\nC1,C2,guarantee,,30,\nC1,C1,control,,,\nC1,C2,friend,,,\n",
        name="groups.csv",
    )
    assert batch.rows_refused == 2
    assert float(Ownership.objects.get().share) == 0.6
    assert Guarantee.objects.get().amount == 30_000_000
    assert set(Customer.objects.values_list("group__name", flat=True)) == {"甲集团"}


def test_an_empty_cell_does_not_wipe_out_what_is_stored(bring):
    bring(CUSTOMERS + GOOD)
    bring("customer_id,name,country\nC1,甲电力,\n")
    assert Customer.objects.get().country == "CN"


def test_gb18030_and_gzip_are_read(tmp_path, admin, bring):
    from kequn.apps.ingest.services import Wish, import_path

    assert bring("客户编号,客户名称\nC1,乾坤电力\n", encoding="gb18030").rows_stored == 1
    file = tmp_path / "customers.csv.gz"
    file.write_bytes(gzip.compress("客户编号,客户名称\nC2,坤\n".encode()))
    assert import_path(path=file, person=admin, wish=Wish())[0].rows_stored == 1
    assert set(Customer.objects.values_list("name", flat=True)) == {"乾坤电力", "坤"}


def test_countries_and_provinces_may_be_named_in_either_language(bring):
    bring("customer_id,name,country,province\nC1,甲,中国,江苏\nC2,乙,china,内蒙古自治区\nC3,丙,CN,44\nC4,丁,越南,\n")
    found = Customer.objects.order_by("code").values_list("country", "province")
    assert list(found) == [("CN", "320000"), ("CN", "150000"), ("CN", "44"), ("VN", "")]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("中华人民共和国", "CN"),
        ("美国", "US"),
        ("United Kingdom", "GB"),
        ("香港", "HK"),
        ("Hong Kong", "HK"),
        ("CHN", "CN"),
    ],
)
def test_a_country_is_known_by_the_names_in_use(bring, said, code):
    bring(f"customer_id,name,country\nC1,甲,{said}\n")
    assert Customer.objects.get().country == code


def test_a_city_is_no_province(bring):
    assert reasons(bring("customer_id,name,province\nC1,甲,吉林市\n")) == ["code"]


def test_undo_brings_back_what_was_there(bring, admin):
    bring(CUSTOMERS + GOOD)
    second = bring("customer_id,name,country,employees\nC1,甲能源,US,999\nC9,新,CN,1\n")
    assert Customer.objects.get(code="C1").name == "甲能源"
    undo(batch_id=second.pk, person=admin)
    assert list(Customer.objects.values_list("code", "name", "country")) == [("C1", "甲电力", "CN")]
    assert FactValue.objects.get(name="employees").number == 320
    assert bring("customer_id,name\nC1,甲电力\n").counts["rows"]["unchanged"] == 1


def test_undo_is_refused_when_rows_were_changed_since(bring, admin):
    first = bring(CUSTOMERS + GOOD)
    bring("customer_id,name\nC1,甲能源\n")
    with pytest.raises(Refused) as refused:
        undo(batch_id=first.pk, person=admin)
    assert refused.value.findings
    assert Customer.objects.exists()


def test_undo_is_refused_when_something_hangs_on_it_since(bring, admin):
    first = bring(CUSTOMERS + GOOD)
    bring("customer_id,contact_name\nC1,张三\n", name="contacts.csv")
    with pytest.raises(Refused):
        undo(batch_id=first.pk, person=admin)
    assert Contact.objects.exists()


def test_undo_is_refused_where_people_have_worked_with_it_since(bring, admin):
    first = bring(CUSTOMERS + GOOD)
    today = timezone.now()
    Pin.objects.create(
        customer=Customer.objects.get(), key="late_payers", is_in=True, reason="决议", owner="徐", maker="user:xu",
        valid_from=today.date(), expires_on=today.date() + timedelta(days=30), made_at=today,
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        undo(batch_id=first.pk, person=admin)
    assert [one.text.en for one in refused.value.findings] == [
        f"Pin {Pin.objects.get()} (C1): changed or added since by a person"
    ]
    assert Pin.objects.exists()


def test_whatever_hangs_on_imported_records_has_a_name_when_it_stands_in_the_way():
    assert {model.__name__ for model, _, _ in work_of_people()} <= set(KINDS)


def test_an_import_is_undone_once(bring, admin):
    batch = bring(CUSTOMERS + GOOD)
    undo(batch_id=batch.pk, person=admin)
    assert not Customer.objects.exists()
    with pytest.raises(Refused):
        undo(batch_id=batch.pk, person=admin)


def test_ragged_rows_are_refused(bring):
    assert reasons(bring("customer_id,name,country\nC1,甲\nC2,乙,CN\n")) == ["cells"]


def test_data_without_a_header_is_asked_about_and_not_dropped(bring):
    with pytest.raises(Refused) as refused:
        bring("customer_id,name\nC1,甲,多余\n")
    assert [one.place.column for one in refused.value.findings] == ["[C]"]
