"""The customer list: its orders, its filters, forward and back, within the reader's scope and within few queries."""

import csv
import io

import pytest
from django.db.models import Q

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.models import SavedView, User
from kequn.apps.assessments import listing
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.audit.models import AuditLine
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.web.views.exports import harmless

ADMIN = LocalAdministrator()
ORDERS = ["name", "-name", "exposure", "-exposure", "grade", "-grade", "signals", "-signals"]


def walk(client, address, way):
    seen = []
    while address:
        page = client.get(address)
        rows = [row.code for row in page.context["rows"]]
        seen = rows + seen if way == "previous_url" else seen + rows
        last, address = page, page.context[way]
    return seen, last


@pytest.fixture
def newcomer(db):
    """A customer that no run has seen yet."""
    from django.utils import timezone

    return Customer.objects.create(code="NEW1", name="新来客户有限公司", made_at=timezone.now())


@pytest.mark.parametrize("sort", ORDERS)
def test_every_order_walks_forward_through_everybody_once_and_back_the_same_way(sign_in, newcomer, sort):
    client = sign_in("head")
    User.objects.filter(username="demo-head").update(rows_per_page=25)
    forward, last = walk(client, f"/customers/?sort={sort}", "next_url")
    assert len(forward) == len(set(forward)) == Customer.objects.count()
    back, _first = walk(client, last.context["previous_url"], "previous_url")
    assert back + [row.code for row in last.context["rows"]] == forward


@pytest.mark.parametrize(
    ("sort", "key"), [("-exposure", "exposure_gross"), ("grade", "pd"), ("-signals", "signal_rank")]
)
def test_an_order_is_that_of_the_figures_and_the_unknown_come_last(sign_in, newcomer, sort, key):
    User.objects.filter(username="demo-head").update(rows_per_page=100)
    rows = [row.code for row in sign_in("head").get(f"/customers/?sort={sort}").context["rows"]]
    values = [getattr(getattr(Customer.objects.get(code=code), "figures", None), key, None) for code in rows]
    known = [one for one in values if one is not None]
    assert known == sorted(known, reverse=sort.startswith("-"))
    assert values == known + [None] * (len(values) - len(known))


def test_signals_of_the_figures_are_those_that_stand():
    for one in CustomerFigures.objects.all():
        standing = FindingSpan.objects.filter(customer=one.customer_id, kind="signal", value="true", valid_to=None)
        assert one.signals == standing.count()
        assert one.signal_rank % 1000 == one.signals
        assert (one.signal_rank // 1000 > 0) == (one.signals > 0)


def test_customers_without_a_class_and_those_not_assessed_can_be_listed(sign_in, newcomer):
    client = sign_in("head")
    new = client.get("/customers/?assessed=no").context
    assert [row.code for row in new["rows"]] == ["NEW1"]
    assert new["totals"].customers == 1
    graded = FindingSpan.objects.filter(key="grade", valid_to=None).values("customer")
    bare = Customer.objects.filter(figures__isnull=False).exclude(pk__in=graded)
    assert {row.code for row in client.get("/customers/?grade=-").context["rows"]} == {one.code for one in bare}


def test_a_signal_filter_and_a_band_of_exposure_narrow_together(sign_in):
    span = FindingSpan.objects.filter(kind="signal", value="true", valid_to=None).first()
    context = sign_in("head").get(f"/customers/?signal={span.key}&least=1&unit=million&sort=-exposure").context
    fits = Customer.objects.filter(
        findings__key=span.key, findings__value="true", findings__valid_to=None, figures__exposure_gross__gte=10**8
    )
    assert {row.code for row in context["rows"]} == {one.code for one in fits}
    assert context["totals"].customers == fits.count()
    assert len(context["chips"]) == 2


@pytest.mark.parametrize("query", ["", "size=micro", "manager=demo-manager", "unknown=multinational", "q=示例"])
def test_count_and_sum_are_of_what_is_shown(sign_in, query):
    User.objects.filter(username="demo-head").update(rows_per_page=100)
    context = sign_in("head").get(f"/customers/?{query}").context
    assert context["totals"].customers == len(context["rows"])
    assert context["totals"].exposure_gross == sum(row.exposure or 0 for row in context["rows"])


def test_removing_a_chip_gives_the_list_without_that_filter(sign_in):
    client = sign_in("head")
    chips = client.get("/customers/?size=micro&geography=domestic&sort=-exposure").context["chips"]
    assert client.get(chips[0].url).context["wanted"].classes == {
        key: value for key, value in {"size": "micro", "geography": "domestic"}.items() if key not in _key(chips[0])
    }
    assert "sort=-exposure" in chips[0].url


def _key(chip):
    return {key for key in ("size", "geography") if f"{key}=" not in chip.url}


def test_filters_speak_of_people_and_teams_only_as_far_as_the_scope_allows(sign_in):
    keys = {role: {one.key for one in sign_in(role).get("/customers/").context["fields"]["rest"]}
            for role in ("manager", "head")}  # fmt: skip
    assert not keys["manager"] & {"manager", "team", "branch"}
    assert {"team", "branch"} <= keys["head"]
    lin = User.objects.get(username="demo-manager")
    other = Customer.objects.exclude(pk__in=visible_to(lin).values("pk")).exclude(team=None).first()
    rows = sign_in("manager").get(f"/customers/?team={other.team.code}").context["rows"]
    assert {row.code for row in rows} <= set(visible_to(lin).values_list("code", flat=True))


def test_the_mark_of_a_colleague_s_customer_opens_nothing_beyond_one_s_own(sign_in):
    lin = User.objects.get(username="demo-manager")
    other = Customer.objects.exclude(pk__in=visible_to(lin).values("pk")).first()
    rows = sign_in("manager").get(f"/customers/?after={other.pk}").context["rows"]
    assert [row.code for row in rows] == list(visible_to(lin).values_list("code", flat=True)[:50])


@pytest.mark.parametrize(
    "query", ["", "size=micro&credit_tier=low", "sort=-exposure", "sort=-signals", "segment=late_payers"]
)
def test_the_list_takes_at_most_15_queries_on_any_page(sign_in, django_assert_max_num_queries, query):
    client = sign_in("head")
    User.objects.filter(username="demo-head").update(rows_per_page=25)
    later = client.get(f"/customers/?{query}").context["next_url"]
    for address in filter(None, (f"/customers/?{query}", later)):
        with django_assert_max_num_queries(15):
            assert len(client.get(address).content) < 150_000


def test_an_export_holds_what_the_list_holds_and_is_in_the_chain(sign_in):
    lines = AuditLine.objects.filter(action="customers.export").count()
    answer = sign_in("manager").get("/customers.csv?sort=-exposure")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    lin = User.objects.get(username="demo-manager")
    assert {row[0] for row in rows[1:]} == set(visible_to(lin).values_list("code", flat=True))
    assert AuditLine.objects.filter(action="customers.export").count() == lines + 1


def test_a_workbook_opens_and_holds_the_same_rows(sign_in):
    from python_calamine import CalamineWorkbook

    answer = sign_in("head", "zh-hans").get("/customers.xlsx?size=micro")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer.streaming_content))).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert rows[0][:2] == ["编号", "客户"]
    micro = FindingSpan.objects.filter(Q(key="size", value="micro"), valid_to=None)
    assert {row[0] for row in rows[1:]} == set(micro.values_list("customer__code", flat=True))


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+cmd", "@SUM(A1)", "\t=1"])
def test_a_name_that_is_a_formula_leaves_as_a_text(text):
    assert harmless(text) == f"'{text}"


def test_a_view_is_kept_opened_and_removed_by_its_owner_alone(sign_in):
    client = sign_in("risk")
    client.post("/saved-views/", {"name": "小微大额", "query": "size=micro&sort=-exposure"})
    view = SavedView.objects.get(name="小微大额")
    assert client.get("/customers/").context["views"][0]["url"] == "/customers/?size=micro&sort=-exposure"
    assert sign_in("head").get("/customers/").context["views"] == []
    sign_in("head").post(f"/saved-views/{view.pk}/remove/")
    assert SavedView.objects.filter(pk=view.pk).exists()
    client.post(f"/saved-views/{view.pk}/remove/")
    assert not SavedView.objects.filter(pk=view.pk).exists()


def test_a_list_larger_than_a_block_is_exported_once_each():
    whole = [one.code for block in listing.each(person=ADMIN, wanted=listing.Wanted(), block=7) for one in block]
    assert len(whole) == len(set(whole)) == Customer.objects.count()


WISHES = [
    {},
    {"classes": {"size": "micro"}},
    {"classes": {"grade": "-", "geography": "domestic"}},
    {"holding": ("late_payers",), "least": 1},
    {"untold": ("multinational",), "most": 10**12},
    {"words": "示例", "classes": {"credit_tier": "low"}},
    {"assessed": "no"},
    {"manager": "demo-manager"},
]


@pytest.mark.parametrize("role", ["head", "risk", "analyst", "manager"])
@pytest.mark.parametrize("wish", WISHES, ids=str)
def test_arrays_and_query_find_the_same_customers(db, newcomer, role, wish):
    person, wanted = User.objects.get(username=f"demo-{role}"), listing.Wanted(**wish)
    found = listing.wanted_customers(person=person, wanted=wanted)
    expected = set(found.values_list("pk", flat=True))
    for _time in range(2):
        assert set(listing.chosen(person=person, wanted=wanted).numbers.tolist()) == expected
    everybody = [one for block in listing.each(person=person, wanted=wanted, block=9) for one in block]
    assert len(everybody) == len(expected)
    assert {one.pk for one in everybody} == expected
