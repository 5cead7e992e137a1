"""Every page in both languages, for everyone who may see it; and nothing for those who may not."""

import re

import pytest
from django.test import Client

from kequn.apps.accounts.models import Role, User
from kequn.apps.assessments.models import FindingSpan, Run
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.web import labels

EVERYONE = tuple(Role.values)
WHOLE_BOOK = ("segment", "head", "administrator", "auditor")
PAGES = {  # address -> the roles that may see it
    "/": EVERYONE,
    "/settings/": EVERYONE,
    "/customers/": EVERYONE,
    "/portfolio/": EVERYONE,
    "/segments/": EVERYONE,
    "/signals/": EVERYONE,
    "/migration/": EVERYONE,
    "/outcomes/": ("analyst", "risk", "segment", "head", "administrator", "auditor"),
    "/outcomes.csv": ("analyst", "risk", "segment", "head", "administrator", "auditor"),
    "/imports/": ("segment", "administrator", "auditor"),
    "/imports/template/": ("segment", "administrator"),
    "/imports/1/": ("segment", "administrator", "auditor"),
    "/imports/1/results/": ("segment", "administrator", "auditor"),
    "/runs/": ("risk", *WHOLE_BOOK),
    "/runs/1/": ("risk", *WHOLE_BOOK),
    "/audit/": ("administrator", "auditor"),
}


def text_of(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("role", EVERYONE)
def test_a_page_opens_for_the_roles_that_may_see_it_and_for_no_other(sign_in, role, address):
    expected = 200 if role in PAGES[address] else 403
    assert sign_in(role).get(address).status_code == expected


@pytest.mark.parametrize("address", [page for page in PAGES if page.endswith("/") and "results" not in page])
def test_chinese_pages_hold_no_english_sentence(sign_in, address):
    if "template" in address:
        return
    page = text_of(sign_in("administrator", "zh-hans").get(address))
    body = re.sub(r"<(script|style|code)[^>]*>.*?</\1>|<[^>]+>", " ", page.split("<main", 1)[1], flags=re.DOTALL)
    assert re.findall(r"\b[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+\b", body) == []
    assert 'lang="zh-hans"' in page


def test_without_signing_in_every_page_leads_to_the_door(db):
    for address in (*PAGES, "/customers/C0000001/"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer.url.startswith("/sign-in/")


def test_the_list_holds_the_reader_s_own_customers_and_nobody_else_s(sign_in):
    lin = User.objects.get(username="demo-manager")
    own = set(visible_to(lin).values_list("name", flat=True))
    page = text_of(sign_in("manager").get("/customers/"))
    shown = {name for name in Customer.objects.values_list("name", flat=True) if name in page}
    assert shown == own
    assert 0 < len(own) < Customer.objects.count()


@pytest.mark.parametrize("tail", ["", "why/size/", "why/industry_family/"])
def test_a_colleague_s_customer_is_not_there_at_all(sign_in, tail):
    lin = User.objects.get(username="demo-manager")
    other = Customer.objects.exclude(pk__in=visible_to(lin).values("pk")).first()
    assert sign_in("manager").get(f"/customers/{other.code}/{tail}").status_code == 404
    assert sign_in("head").get(f"/customers/{other.code}/{tail}").status_code == 200


def test_counts_on_the_segments_page_are_within_the_reader_s_scope(sign_in):
    lin = User.objects.get(username="demo-manager")
    mine, all_ = visible_to(lin).count(), Customer.objects.count()
    assert sign_in("manager").get("/segments/").context["customers"] == mine
    assert sign_in("head").get("/segments/").context["customers"] == all_


def test_a_filter_shows_only_customers_of_the_class(sign_in):
    page = sign_in("head").get("/customers/", {"size": "micro"})
    shown = {row.code for row in page.context["rows"]}
    micro = FindingSpan.objects.filter(key="size", value="micro", valid_to__isnull=True)
    assert shown == set(micro.values_list("customer__code", flat=True))
    assert page.context["totals"].customers == len(shown)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_why_opens_for_every_finding_of_a_customer(sign_in, language):
    client = sign_in("head", language)
    customer = Customer.objects.filter(facilities__isnull=False, statements__isnull=False).first()
    keys = set(customer.findings.filter(valid_to__isnull=True).values_list("key", flat=True))
    keys &= {one.name for one in labels.plan().findings()}
    assert len(keys) > 15
    for key in sorted(keys):
        assert client.get(f"/customers/{customer.code}/why/{key}/").status_code == 200, key


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_segment_and_signal_has_a_page_with_its_source(sign_in, language):
    client = sign_in("segment", language)
    for item in labels.names().items.values():
        if item.kind in {"segment", "signal"}:
            page = client.get(f"/segments/{item.name}/")
            assert page.status_code == 200
            assert item.label.in_language("zh" if language == "zh-hans" else "en") in text_of(page)
            assert page.context["sources"]


def test_an_unknown_finding_or_segment_is_not_found(sign_in):
    client = sign_in("head")
    customer = Customer.objects.first()
    for address in (f"/customers/{customer.code}/why/nonsense/", "/segments/nonsense/", "/runs/999/", "/imports/999/"):
        assert client.get(address).status_code in {403, 404}


def test_migration_rows_and_columns_add_up(sign_in):
    matrix = sign_in("head").get("/migration/", {"key": "grade"}).context["matrix"]
    assert matrix["total"] == sum(row["total"] for row in matrix["rows"]) == sum(matrix["column_totals"])


def test_a_bad_date_is_said_and_kept_from_breaking_the_page(sign_in):
    page = sign_in("head").get("/migration/", {"from": "yesterday"})
    assert page.status_code == 200
    assert "“yesterday” is not a date" in text_of(page)


def test_a_run_asked_for_on_the_page_is_queued_once_and_only_by_who_may(sign_in):
    from kequn.apps.jobs.models import Job

    before = Job.objects.count()
    assert sign_in("head").post("/runs/", {"as_of": "2026-10-31"}).status_code == 302
    assert Job.objects.count() == before
    assert sign_in("risk").post("/runs/", {"as_of": "2026-10-31"}).status_code == 302
    assert Job.objects.count() == before + 1
    assert sign_in("risk").post("/runs/", {"as_of": "2199-12-31"}).status_code == 302
    assert Job.objects.count() == before + 1
    assert Run.objects.count() == 2


def test_the_auditor_verifies_the_chain_on_the_page(sign_in):
    page = sign_in("auditor").post("/audit/")
    assert "The chain is whole" in text_of(page)


def test_pages_allow_no_script_or_style_from_elsewhere(sign_in):
    policy = sign_in("head").get("/customers/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
