"""Pages of strategies, performance and worth: within the reader's scope, with scripts off, in both languages."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from kequn.apps.accounts.models import User
from kequn.apps.assessments.models import FindingSpan
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.governance.models import DocumentVersion
from kequn.samples.book import AS_OF

pytestmark = pytest.mark.django_db
PAGE = "/segments/late_payers/strategy/"
TYPED = {"act": "save", "priority": "2", "effective_from": AS_OF.isoformat(), "reason": "收紧",
         "c.0.credit_tier": "高", "c.0.spread": "1.8%", "c.1.spread": "3%", "c.1.limit_factor": "0.02"}  # fmt: skip


@pytest.mark.parametrize("address", ["/strategies/", PAGE, "/worth/"])
@pytest.mark.parametrize("role", ["manager", "head"])
def test_each_page_takes_at_most_20_queries(sign_in, address, role, django_assert_max_num_queries):
    client = sign_in(role)
    client.get(address)
    with django_assert_max_num_queries(20):
        assert client.get(address).status_code == 200


def test_a_manager_sees_the_figures_of_own_customers_only(sign_in):
    mine = visible_to(User.objects.get(username="demo-manager"))
    page = sign_in("manager").get(PAGE)
    late = FindingSpan.objects.filter(key="late_payers", value="true", valid_to__isnull=True, customer__in=mine)
    assert page.context["found"].today.customers == late.count()
    whole = sign_in("head").get("/worth/").context["whole"]["one"].customers
    assert whole == Customer.objects.count()
    assert sign_in("manager").get("/worth/").context["whole"]["one"].customers == mine.count()
    assert "Write its next version" not in page.content.decode()


def test_what_is_typed_becomes_the_challenger_and_then_waits_for_approval(sign_in):
    client = sign_in("segment")
    assert client.post(PAGE, TYPED).status_code == 302
    draft = DocumentVersion.objects.get(kind="strategy", key="late_payers")
    assert (draft.number, draft.state) == (2, "draft")
    page = client.get(PAGE).content.decode()
    assert "Challenger: version 2" in page
    assert "1.8%" in page
    proposal = client.post(PAGE, {"act": "submit"}).url
    shown = sign_in("head").get(proposal).content.decode()
    for said in ("In force", "Proposed", "1.8%", "What each would give"):
        assert said in shown
    assert "抵押加保证" in sign_in("head", "zh-hans").get(proposal).content.decode()


def test_what_cannot_be_read_keeps_what_was_typed_and_names_row_and_column(sign_in):
    page = sign_in("segment").post(PAGE, TYPED | {"c.1.spread": "much"})
    said = page.content.decode()
    assert page.status_code == 422
    assert "row 2, Spread over LPR: is no number; found &#x27;much&#x27;; allowed: 2%" in said
    assert 'value="much"' in said
    assert not DocumentVersion.objects.filter(kind="strategy").exclude(key="inclusive_small").exists()


def test_the_workbook_that_is_taken_out_can_be_brought_in(sign_in):
    client = sign_in("segment", "zh-hans")
    content = client.get("/segments/late_payers/strategy.xlsx").content
    file = SimpleUploadedFile("策略.xlsx", content)
    asked = {"act": "upload", "priority": "2", "effective_from": AS_OF.isoformat(), "file": file}
    assert client.post(PAGE, asked).status_code == 302
    draft = DocumentVersion.objects.get(kind="strategy", key="late_payers")
    assert draft.origin == "xlsx"
    page = client.get(PAGE)
    assert page.context["challenger"] == page.context["in_force"]


def test_what_is_no_workbook_is_refused(sign_in):
    file = SimpleUploadedFile("strategy.xlsx", b"not a workbook")
    asked = {"act": "upload", "priority": "2", "effective_from": AS_OF.isoformat(), "file": file}
    page = sign_in("segment").post(PAGE, asked)
    assert page.status_code == 422
    assert "not a readable workbook" in page.content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_customer_s_page_has_each_line_of_its_worth_and_each_opens(sign_in, language):
    known = FindingSpan.objects.filter(key="value_tier", valid_to__isnull=True, value__in=["low", "middle", "high"])
    code = known.first().customer.code
    client = sign_in("head", language)
    worth = client.get(f"/customers/{code}/").context["worth"]
    assert len(worth["lines"]) == 7
    assert all(row["value"] != "–" for row in (*worth["lines"], worth["contribution"]))
    for row in worth["lines"]:
        assert client.get(f"/customers/{code}/why/{row['key']}/").status_code == 200


def test_the_lines_on_the_page_add_up_to_the_contribution(sign_in):
    page = sign_in("head").get("/worth/")
    whole = page.context["whole"]["one"]
    assert sum(sign * amount for _name, sign, amount in whole.lines) == whole.contribution
    tiers = page.context["tiers"]
    assert sum(row["one"].contribution for row in tiers) == whole.contribution
    assert re.search(r"illustration", page.content.decode())


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_change_stands_with_both_sides_and_the_doubt(sign_in, language):
    client, head = sign_in("segment"), sign_in("head", language)
    client.post(PAGE, TYPED)
    proposal = client.post(PAGE, {"act": "submit"}).url
    digest = head.get(proposal).context["proposal"].shown_digest
    assert head.post(proposal, {"act": "approve", "digest": digest}).status_code == 302
    page = head.get(PAGE)
    (row,) = page.context["effects"]
    assert row["one"].version.number == 2
    assert row["one"].apart is None
    said = {"en": "regression to the mean", "zh-hans": "均值回归"}[language]
    assert said in page.content.decode()
