"""The pages on which segments are defined, reviewed, followed and pinned: with scripts off, in both languages."""

import json
import re

import pytest

from kequn.apps.assessments.models import FindingSpan, Pin
from kequn.apps.governance.models import DocumentVersion, Proposal
from kequn.apps.governance.selectors import own_pack
from kequn.apps.jobs.models import Job
from kequn.apps.jobs.services import work_one
from kequn.domain.rules.groups import DEEPEST
from kequn.samples.book import AS_OF

pytestmark = pytest.mark.django_db
RULE = {
    "g.0": "all", "f.0.0": "size", "w.0.0": "in", "v.0.0": ["small", "micro"],
    "g.0.1": "any", "f.0.1.0": "从业人员", "w.0.1.0": ">=", "v.0.1.0": "20", "t.0.1.1": "any(days_past_due > 0)",
}  # fmt: skip
NAMES = {"name": "staffed_small", "zh": "有员工的小企业", "en": "Staffed small firms", "unknown": "out",
         "effective_from": AS_OF.isoformat(), "reason": "试", "dimension": "", "note": "", "source": ""}  # fmt: skip
TEXT = "size in (&#x27;small&#x27;, &#x27;micro&#x27;) and (employees &gt;= 20 or any(days_past_due &gt; 0))"


def live(page: str) -> int:
    """How many customers the builder says the rule would hold."""
    return int(re.search(r"<dt>Customers</dt><dd>([\d,]+)</dd>", page)[1].replace(",", ""))


def test_the_form_and_its_text_are_the_same_rule(sign_in):
    page = sign_in("segment").post("/segments/define/", RULE | NAMES | {"act": "show"}).content.decode()
    assert f">{TEXT}</textarea>" in page
    again = sign_in("segment").post(
        "/segments/define/",
        NAMES | {"act": "text", "text": "size in ('small', 'micro') and (employees >= 20 or any(days_past_due > 0))"},
    )
    assert f">{TEXT}</textarea>" in again.content.decode()
    assert live(again.content.decode()) == live(page)


def test_the_count_is_that_of_the_customers_who_stand_there(sign_in):
    page = sign_in("segment").post(
        "/segments/define/", NAMES | {"g.0": "all", "f.0.0": "size", "w.0.0": "=", "v.0.0": "micro", "act": "show"}
    )
    stands = FindingSpan.objects.filter(key="size", value="micro", valid_to__isnull=True).count()
    assert live(page.content.decode()) == stands > 0


def test_react_querybuilder_json_comes_in_and_goes_out(sign_in):
    query = {"combinator": "or", "not": True, "rules": [
        {"field": "size", "operator": "in", "value": ["large"]},
        {"field": "employees", "operator": "between", "value": [10, 20]},
        {"field": "is_listed", "operator": "=", "value": True},
    ]}  # fmt: skip
    page = sign_in("segment").post("/segments/define/", NAMES | {"act": "json", "rqb": json.dumps(query)})
    said = page.context["text"]
    assert said == "not (size in ('large') or employees between 10 and 20 or is_listed)"
    assert json.loads(page.context["rqb"])["not"] is True
    wrong = sign_in("segment").post("/segments/define/", NAMES | {"act": "json", "rqb": '{"rules": [{"field": "x"}]}'})
    assert "This is no query of a query builder: field x" in wrong.content.decode()


@pytest.mark.parametrize(
    ("act", "parts"), [("rule:0", 3), ("group:0.1", 2), ("remove:0.0", 1), ("remove:0.1", 1), ("remove:0.1.0", 2)]
)
def test_every_button_works_without_scripts(sign_in, act, parts):
    answer = sign_in("segment").post("/segments/define/", RULE | NAMES | {"act": act})
    assert answer.status_code == 200
    assert len(answer.context["root"]["parts"]) == parts


def test_a_wrong_fact_is_told_beside_it_with_the_nearest(sign_in):
    wrong = {"g.0": "all", "f.0.0": "employeees", "act": "save"}
    answer = sign_in("segment").post("/segments/define/", NAMES | wrong)
    assert answer.status_code == 422
    assert "did you mean “employees”" in answer.content.decode()
    assert not DocumentVersion.objects.filter(key="staffed_small").exists()


@pytest.mark.parametrize("more", [{"w.0.2": ">=", "v.0.2": ""}, {"w.0.2": "between", "v.0.2": ["10", " "]}])
def test_a_condition_without_its_value_is_refused_by_name_and_not_dropped(sign_in, more):
    answer = sign_in("segment").post("/segments/define/", RULE | NAMES | {"f.0.2": "employees", "act": "save"} | more)
    assert answer.status_code == 422
    assert "The condition “Employees" in answer.content.decode()
    assert not DocumentVersion.objects.filter(key="staffed_small").exists()


@pytest.mark.parametrize(("operator", "value"), [("between", "net_assets"), ("=", "no_such_fact")])
def test_a_fact_in_place_of_a_value_is_taken_only_where_the_form_takes_one(sign_in, operator, value):
    rule = {"field": "employees", "operator": operator, "valueSource": "field", "value": value}
    query = json.dumps({"combinator": "and", "rules": [rule]})
    page = sign_in("segment").post("/segments/define/", NAMES | {"act": "json", "rqb": query})
    assert "This is no query of a query builder: valueSource field" in page.content.decode()


def test_what_looks_like_a_number_and_is_none_is_no_error_of_ours(sign_in):
    client = sign_in("segment")
    for number in ("²", "9" * 40):
        assert client.get("/segments/define/", {"version": number}).status_code == 404
        assert client.post("/segments/define/", RULE | NAMES | {f"f.0.{number}": "employees"}).status_code == 200
        assert client.post("/segments/late_payers/pins/", {"act": "end", "pin": number}).status_code == 422


def test_groups_within_groups_without_end_are_cut_and_a_deep_rule_text_is_kept_whole(sign_in):
    client = sign_in("segment")
    deep = {f"g.0{'.0' * depth}": "all" for depth in range(180)}
    assert client.post("/segments/define/", NAMES | deep).status_code == 200
    text = "is_listed"
    for at in range(20):
        text = f"(employees > {at} {'and' if at % 2 else 'or'} {text})"
    said = client.post("/segments/define/", NAMES | {"act": "text", "text": text}).context
    assert said["text"].count("employees") == 20
    assert max(_depths(said["root"])) <= DEEPEST + 1


def _depths(part, depth=0):
    return [depth, *(one for inner in part.get("parts", ()) for one in _depths(inner, depth + 1))]


def test_a_script_gets_the_part_alone_and_as_few_queries(sign_in, django_assert_max_num_queries):
    client = sign_in("segment")
    client.post("/segments/define/", RULE | NAMES)
    with django_assert_max_num_queries(6):
        answer = client.post("/segments/define/", RULE | NAMES, headers={"hx-request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="builder"')


def test_from_draft_to_approval_without_scripts(sign_in):
    maker, checker = sign_in("segment"), sign_in("head")
    kept = maker.post("/segments/define/", RULE | NAMES | {"act": "save"}, follow=True)
    version = DocumentVersion.objects.get(key="staffed_small")
    page = kept.content.decode()
    assert "Largest who enter" in page
    assert "A new segment" in page
    assert json.loads(version.body)["rule"] == kept.context["text"]
    shown = maker.post(f"/segment-versions/{version.pk}/", {"act": "submit"}, follow=True)
    assert "the maker never checks" in shown.content.decode()
    proposal = Proposal.objects.get(versions=version)
    page = checker.get(f"/approvals/{proposal.pk}/").content.decode()
    assert proposal.shown_digest in page
    refused = checker.post(
        f"/approvals/{proposal.pk}/", {"act": "refuse", "digest": proposal.shown_digest}, follow=True
    )
    assert "say why it is refused" in refused.content.decode()
    checker.post(f"/approvals/{proposal.pk}/", {"act": "approve", "digest": proposal.shown_digest})
    assert DocumentVersion.objects.get(pk=version.pk).state == "published"
    assert "Staffed small firms" in maker.get("/segments/").content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_version_is_taken_out_as_yaml_and_brought_in_equal(sign_in, language):
    client = sign_in("segment", language)
    version = DocumentVersion.objects.get(key="large_energy_projects")
    text = client.get(f"/segment-versions/{version.pk}/document.yaml").content.decode()
    page = client.post("/segments/define/", NAMES | {"act": "yaml", "yaml": text})
    assert page.context["fields"]["zh"] == "大额能源项目客户"
    assert page.context["text"] == json.loads(version.body)["rule"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/segments/define/", 6), ("/segments/define/?from=late_payers", 6), ("/segment-versions/1/", 16),
        ("/approvals/", 7), ("/approvals/1/", 10), ("/segments/hierarchies/", 12),
        ("/segments/hierarchies/?of=credit", 12), ("/segments/late_payers/history/", 12),
        ("/segments/late_payers/pins/", 8), ("/segments/late_payers/", 12),
        ("/migration/names/?key=credit_tier&from=2026-06-30&to=2026-09-30&a=high&b=high", 8),
        ("/migration/?key=late_payers", 8),
    ],
)  # fmt: skip
def test_every_page_asks_a_fixed_number_of_questions(sign_in, django_assert_max_num_queries, address, most, language):
    client = sign_in("administrator", language)
    client.get(address)
    with django_assert_max_num_queries(most):
        assert client.get(address).status_code == 200


def test_a_pin_is_asked_for_approved_and_ended(sign_in):
    maker, checker = sign_in("segment"), sign_in("head")
    asked = {"code": "C0000002", "way": "out", "reason": "已结清", "owner": "徐", "valid_from": "2026-10-01",
             "expires_on": "2099-01-01", "act": "ask"}  # fmt: skip
    maker.post("/segments/late_payers/pins/", asked)
    proposal = Proposal.objects.get(kind="pin")
    page = checker.get(f"/approvals/{proposal.pk}/").content.decode()
    assert "已结清" in page
    checker.post(f"/approvals/{proposal.pk}/", {"act": "approve", "digest": proposal.shown_digest})
    assert "−1" in maker.get("/segments/late_payers/").content.decode()
    pin = Pin.objects.get()
    maker.post("/segments/late_payers/pins/", {"act": "end", "pin": pin.pk, "why": "情况已变"})
    page = maker.get("/segments/late_payers/pins/").content.decode()
    assert "its end waits for approval" in page
    assert "in force" in page
    ending = Proposal.objects.get(kind="pin_end")
    assert "End the pin" in checker.get(f"/approvals/{ending.pk}/").content.decode()
    checker.post(f"/approvals/{ending.pk}/", {"act": "approve", "digest": ending.shown_digest})
    assert "does not hold today" in maker.get("/segments/late_payers/pins/").content.decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": "C9999999"}, "No customer"), ({"reason": " "}, "a reason and an owner"),
        ({"expires_on": "2026-10-01"}, "expire after"), ({"expires_on": "soon"}, "Both days are needed"),
    ],
)  # fmt: skip
def test_a_pin_that_is_not_whole_is_refused_and_what_was_typed_kept(sign_in, changed, said):
    asked = {"code": "C0000002", "way": "in", "reason": "协议", "owner": "徐", "valid_from": "2026-10-01",
             "expires_on": "2027-01-01", "act": "ask"}  # fmt: skip
    answer = sign_in("segment").post("/segments/late_payers/pins/", asked | changed)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'value="徐"' in answer.content.decode()
    assert not Pin.objects.exists()


def test_a_dimension_is_proved_complete_and_disjoint(sign_in):
    proof = sign_in("head").get("/segments/hierarchies/?of=size").context["proof"]
    assert (proof.is_complete, proof.is_disjoint) == (True, True)
    assert sum(one.taken for one in proof.steps) == proof.customers


def test_where_a_hierarchy_fails_customers_are_named(sign_in):
    maker, checker = sign_in("segment"), sign_in("head")
    asked = {"key": "care", "zh": "关怀顺序", "en": "Order of care", "effective_from": AS_OF.isoformat(),
             "segments": "late_payers size_micro size_small"}  # fmt: skip
    maker.post("/segments/hierarchies/", asked)
    proposal = Proposal.objects.get(kind="hierarchy")
    checker.post(f"/approvals/{proposal.pk}/", {"act": "approve", "digest": proposal.shown_digest})
    page = checker.get("/segments/hierarchies/?of=care")
    proof = page.context["proof"]
    late = set(
        FindingSpan.objects.filter(key="late_payers", value="true", valid_to=None).values_list("customer", flat=True)
    )
    small = set(
        FindingSpan.objects.filter(key="size", value__in=("micro", "small"), valid_to=None).values_list(
            "customer", flat=True
        )
    )
    assert (proof.left_out, proof.in_several) == (proof.customers - len(late | small), len(late & small))
    assert proof.left_out_named[0][1] in page.content.decode()


def test_a_refused_hierarchy_leaves_no_draft_and_its_proposal_no_dead_link(sign_in):
    maker, checker = sign_in("segment"), sign_in("head")
    asked = {"key": "care", "zh": "关怀顺序", "en": "Order of care", "effective_from": AS_OF.isoformat(),
             "segments": "late_payers size_micro"}  # fmt: skip
    maker.post("/segments/hierarchies/", asked)
    proposal = Proposal.objects.get(kind="hierarchy")
    assert "/segment-versions/" not in checker.get(f"/approvals/{proposal.pk}/").content.decode()
    refusal = {"act": "refuse", "digest": proposal.shown_digest, "comment": "顺序不当"}
    checker.post(f"/approvals/{proposal.pk}/", refusal)
    assert Proposal.objects.get(pk=proposal.pk).state == "refused"
    assert not DocumentVersion.objects.filter(kind="hierarchy").exists()


def test_the_names_of_a_cell_are_as_many_as_it_counts(sign_in):
    client = sign_in("head")
    matrix = client.get("/migration/?key=credit_tier&from=2026-06-30&to=2026-09-30").context["matrix"]
    cells = [cell for row in matrix["rows"] for cell in row["cells"] if cell["count"]]
    for cell in cells:
        assert client.get(cell["url"]).context["totals"].customers == cell["count"]


def test_a_move_shows_both_sides(sign_in):
    span = FindingSpan.objects.filter(kind="signal", opened_by__as_of=AS_OF).exclude(cause="first").first()
    page = sign_in("head").get(f"/customers/{span.customer.code}/changes/{span.pk}/")
    assert page.status_code == 200
    assert any(row["differs"] for row in page.context["rows"])
    assert page.context["is_policy_of_then"]
    assert sign_in("manager").get(f"/customers/C0000002/changes/{span.pk}/").status_code == 404


def test_segments_that_disagree_are_settled_on_the_customer_s_page(sign_in):
    late = FindingSpan.objects.filter(key="late_payers", value="true", valid_to=None).first()
    page = sign_in("head").get(f"/customers/{late.customer.code}/")
    rows = {row["label"]: row for row in page.context["settled"]["rows"]}
    assert rows["Spread over LPR"]["value"] in {"2.50%", "3.00%"}
    assert "the strictest holds" in page.content.decode()


def test_the_pack_s_own_segments_are_read_where_nothing_was_published(sign_in):
    assert sign_in("head").get("/segments/late_payers/").context["text"] == "any(days_past_due > 0)"
    assert own_pack().version == "2026.11"


def test_a_date_judged_again_is_shown_beside_what_was_known_then(sign_in):
    client = sign_in("segment")
    client.post("/segments/late_payers/history/", {"on": "2026-06-30"})
    done = work_one(worker="test", job_id=Job.objects.filter(kind="replay").latest("id").pk)
    assert done.state == "done", done.error
    page = client.get("/segments/late_payers/history/?on=2026-06-30")
    assert len(page.context["now"]) == page.context["now_count"] > 0
    assert client.get(f"/runs/{done.result['run']}/").status_code == 200
    assert "Replayed" in client.get("/runs/").content.decode()
    assert sign_in("auditor").post("/segments/late_payers/history/", {"on": "2026-06-30"}).status_code == 403
