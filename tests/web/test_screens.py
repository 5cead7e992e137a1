"""Today, a customer's parts, the portfolio, segments, migration, the audit page, a person's settings."""

import re

import pytest
from django.urls import reverse

from kequn.apps.accounts.models import User
from kequn.apps.assessments import attention, portfolio
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.customers.kinship import family_of
from kequn.apps.customers.models import Customer, Ownership
from kequn.apps.customers.selectors import visible_to

TABS = ["overview", "group", "statements", "facilities", "projects", "findings", "timeline"]
ROLES = ["manager", "analyst", "risk", "segment", "head", "administrator", "auditor"]


@pytest.fixture
def rich(db):
    """A customer with facilities, statements, projects and a standing signal."""
    found = Customer.objects.filter(facilities__isnull=False, statements__isnull=False, figures__signals__gt=0)
    return found.order_by("-project_parts", "id").first()


@pytest.fixture
def lin(db):
    return User.objects.get(username="demo-manager")


@pytest.mark.parametrize("tab", TABS)
def test_every_part_of_a_customer_takes_at_most_25_queries(sign_in, rich, django_assert_max_num_queries, tab):
    client = sign_in("head")
    with django_assert_max_num_queries(25):
        assert client.get(f"/customers/{rich.code}/?tab={tab}").status_code == 200


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_part_says_who_it_is_about_and_marks_where_one_is(sign_in, rich, tab, language):
    page = sign_in("head", language).get(f"/customers/{rich.code}/?tab={tab}").content.decode()
    assert rich.name in page
    assert f'<a href="?tab={tab}" aria-current="page">' in page


def test_a_subsidiary_outside_the_scope_keeps_its_place_and_no_name(lin):
    mine = visible_to(lin).first()
    other = Customer.objects.exclude(pk__in=visible_to(lin).values("pk")).first()
    Ownership.objects.filter(customer=mine).delete()
    Ownership.objects.create(parent=mine, customer=other, relation="ownership", share="0.6", from_date="2020-01-01")
    tree = family_of(person=lin, customer=mine, as_of=latest_published().as_of).tree
    hidden = next(one for one in tree if one.id == other.pk)
    assert hidden.customer is None
    assert hidden.depth == 1


def test_a_ring_of_owners_ends(lin):
    one, two = visible_to(lin)[:2]
    for parent, child in ((one, two), (two, one)):
        Ownership.objects.update_or_create(
            parent=parent, customer=child, relation="ownership", from_date="2020-01-01", defaults={"share": "0.5"}
        )
    tree = family_of(person=lin, customer=one, as_of=latest_published().as_of).tree
    assert {one.pk, two.pk} <= {kin.id for kin in tree}
    assert len(tree) == len({kin.id for kin in tree})


def test_today_counts_only_one_s_own_customers(sign_in, lin):
    run = latest_published()
    mine = set(visible_to(lin).values_list("pk", flat=True))
    part = attention.past_due(person=lin)
    assert {row["customer_id"] for row in part.rows} <= mine
    assert part.customers <= attention.past_due(person=User.objects.get(username="demo-head")).customers
    assert attention.new_signals(person=lin, run=run).customers <= len(mine)
    assert sign_in("manager").get("/").status_code == 200


def test_today_ranks_by_the_exposure_of_the_customer():
    part = attention.maturing(person=User.objects.get(username="demo-head"), as_of=latest_published().as_of, days=400)
    exposures = [row["exposure"] or -1 for row in part.rows]
    assert exposures == sorted(exposures, reverse=True)


def test_today_finds_the_grades_that_fell_in_the_last_run():
    run, head = latest_published(), User.objects.get(username="demo-head")
    order = [f"K{number:02}" for number in range(1, 13)] + ["D"]
    part = attention.fallen_grades(person=head, run=run, order=order)
    for row in part.rows:
        assert order.index(row["value"]) > order.index(row["was"])
        assert FindingSpan.objects.filter(customer=row["customer_id"], closed_by=run, key="grade").exists()


@pytest.mark.parametrize("role", ROLES)
def test_today_takes_at_most_35_queries_for_every_role(sign_in, django_assert_max_num_queries, role):
    client = sign_in(role)
    with django_assert_max_num_queries(35):
        assert client.get("/").status_code == 200


def test_the_bars_of_every_dimension_add_up_to_the_book(sign_in):
    context = sign_in("head").get("/portfolio/").context
    for one in context["dimensions"]:
        assert sum(row["customers"] for row in one["rows"]) == context["totals"].customers, one["key"]
        assert sum(row["exposure"] for row in one["rows"]) == context["totals"].exposure_gross, one["key"]


def test_concentration_is_that_of_the_figures():
    head = User.objects.get(username="demo-head")
    exposures = sorted((one.exposure_gross or 0 for one in CustomerFigures.objects.all()), reverse=True)
    found = portfolio.by_customer(head)
    assert dict(found.shares)[10] == pytest.approx(sum(exposures[:10]) / sum(exposures))
    assert found.index == pytest.approx(sum((one / sum(exposures)) ** 2 for one in exposures))
    assert portfolio.by_group(head).index >= found.index


def test_a_cell_of_the_overlap_opens_as_many_customers_as_it_says(sign_in):
    client = sign_in("head")
    overlap = client.get("/segments/").context["overlap"]
    cells = [cell for row in overlap["rows"] for cell in row["cells"] if cell["customers"] and not cell["same"]]
    for cell in cells[:5]:
        assert client.get(cell["url"]).context["totals"].customers == cell["customers"]


def test_a_cell_of_the_heat_map_opens_its_customers(sign_in):
    client = sign_in("head")
    page = client.get("/portfolio/").content.decode()
    address = re.search(r'href="(/customers/\?industry_family=[^"]+)"', page.split("kq-chart", 1)[1]).group(1)
    assert client.get(address.replace("&amp;", "&")).context["totals"].customers > 0


def test_the_sankey_and_its_table_hold_the_same_customers(sign_in):
    context = sign_in("head").get("/migration/", {"key": "grade"}).context
    assert context["svg"].startswith("<svg")
    assert context["matrix"]["total"] == sum(row["total"] for row in context["matrix"]["rows"])


def test_the_score_page_adds_up_points_to_the_score(sign_in, rich):
    points = sign_in("head").get(f"/customers/{rich.code}/why/score/").context["points"]
    assert points["rows"]
    assert points["earned"] == sum(row["points"] or 0 for row in points["rows"])
    if points["score"] is not None:
        assert points["score"] == pytest.approx(100 * points["earned"] / points["possible"])


def test_shares_are_percentages_in_the_rule_and_in_what_was_found(sign_in, rich):
    page = sign_in("head").get(f"/customers/{rich.code}/why/sig_revenue_falling/").content.decode()
    assert "-20%" in page


def test_the_audit_page_finds_lines_by_actor_act_subject_and_day(sign_in):
    client = sign_in("auditor")
    lines = client.get("/audit/", {"action": "run.publish"}).context["lines"]
    assert {one["line"].action for one in lines} == {"run.publish"}
    assert client.get("/audit/", {"from": "2199-01-01"}).context["lines"] == []
    assert "No line fits" in client.get("/audit/", {"actor": "nobody-of-this-name"}).content.decode()


@pytest.mark.parametrize(("unit", "word"), [("yuan", "元"), ("hundred_million", "亿元"), ("", "万元")])
def test_money_stands_in_the_unit_that_the_reader_chose(sign_in, unit, word):
    client = sign_in("risk", "zh-hans")
    kept = {"language": "zh-hans", "money_unit": unit, "theme": "dark", "rows_per_page": "25"}
    assert client.post(reverse("preferences"), kept).status_code == 302
    page = client.get("/customers/").content.decode()
    assert f"敞口 ({word})" in page
    assert 'data-bs-theme="dark"' in page


def test_a_setting_that_is_no_choice_changes_nothing(sign_in):
    before = User.objects.get(username="demo-risk").rows_per_page
    sign_in("risk").post(reverse("preferences"), {"theme": "pink", "rows_per_page": "7"})
    after = User.objects.get(username="demo-risk")
    assert (after.theme, after.rows_per_page) == ("auto", before)


def test_a_customer_that_no_run_has_seen_says_so(sign_in):
    from django.utils import timezone

    new = Customer.objects.create(code="NEW2", name="未评估有限公司", made_at=timezone.now())
    for tab in TABS:
        assert "Not assessed yet" in sign_in("head").get(f"/customers/{new.code}/?tab={tab}").content.decode()


def test_every_act_of_the_audit_chain_has_words():
    """An act is written where a service opens its line; each has its words on the page."""
    import re
    from pathlib import Path

    import kequn.apps
    from kequn.web.acts import ACTS

    sources = (file.read_text("utf-8") for file in Path(kequn.apps.__path__[0]).rglob("*.py"))
    acts = {act for text in sources for act in re.findall(r'action="([a-z_.]+)"', text)}
    assert acts <= set(ACTS)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/migration/?to=0001-01-01", 200),
        ("/audit/?from=0001-01-01", 200),
        ("/imports/1/rows/?after=%C2%B2", 404),
        ("/customers/?q=%00", 400),
        ("/customers/%00/", 400),
        ("/customers/?least=999999999999&unit=hundred_million", 200),
    ],
)
def test_an_address_that_makes_no_sense_breaks_nothing(sign_in, address, status):
    assert sign_in("administrator").get(address).status_code == status


def test_where_two_policies_name_terms_the_page_says_whose_they_are(sign_in):
    held = FindingSpan.objects.filter(key="late_payers", value="true", valid_to=None).select_related("customer")
    page = sign_in("head").get(f"/customers/{held[0].customer.code}/").content.decode()
    assert "These are the strategies of its segments." in page
    by = re.search(r"reads every customer, by: ([^<]*)<", page)
    assert by is not None
    assert by[1].startswith("Credit tier ")


def test_a_tile_that_counts_customers_says_so(sign_in):
    page = sign_in("head").get("/").content.decode()
    counted = re.findall(r'href="#\w+"><span class="what">[^<]*</span><span class="number">([^<]*)<', page)
    assert counted
    assert all(one.endswith(" customers") for one in counted)
