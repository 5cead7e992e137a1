"""The pages of discoveries: asked for, refused with the reason, read with every doubt, opened in the builder."""

from datetime import date

import pyarrow as pa
import pytest

from kequn.apps.assessments.selectors import latest_published
from kequn.apps.discoveries import services
from kequn.apps.discoveries.models import Discovery, DiscoveryState
from kequn.apps.discoveries.selectors import offered
from kequn.apps.jobs.models import Job
from kequn.apps.jobs.services import work_one
from kequn.domain.errors import Misuse
from kequn.modelling.discovery.finding import discover
from kequn.modelling.discovery.request import request_of
from kequn.modelling.settings import settings_of
from kequn.modelling.tapes import Tape
from kequn.policy import load_pack
from tests.modelling.planted import planted

pytestmark = pytest.mark.django_db
NAMES = {"id": "customer_id", "x0": "debt_ratio", "x1": "current_ratio", "x2": "net_margin", "x3": "revenue_growth",
         "x4": "utilisation", "c0": "industry_family", "c1": "size"}  # fmt: skip


@pytest.fixture(scope="module")
def card():
    """Groups planted in columns that carry the names of facts."""
    table, _groups = planted(0, rows=1200)
    table = pa.table({NAMES[name]: column for name, column in zip(table.column_names, table.columns, strict=True)})
    features = [name for name in NAMES.values() if name != "customer_id"]
    asked = request_of({"key": "customer_id", "features": features, "compare": ["size"]})
    settings = settings_of(load_pack("cn"), date(2026, 6, 1))
    return discover(asked, Tape(table, "book.parquet", "d"), settings, date(2026, 6, 1), "test").card


@pytest.fixture
def kept(card, maker):
    return services.keep_card(person=maker, card=card, title="四类客户 four kinds")


@pytest.fixture
def maker(db):
    from kequn.apps.accounts.models import User

    return User.objects.get(username="demo-segment")


def test_what_is_asked_for_is_found_or_refused_by_the_worker_with_its_reason(sign_in):
    answer = sign_in("segment").post(
        "/discoveries/", {"features": ["size", "industry_family", "debt_ratio"], "seed": "1"}
    )
    asked = Discovery.objects.first()
    assert answer.url == f"/discoveries/{asked.pk}/"
    work_one(worker="test", job_id=Job.objects.get(key=f"discovery-{asked.pk}").pk)
    page = sign_in("head").get(answer.url).content.decode()
    assert "only 60 rows to look at; at least 300 are needed" in page
    assert "只有 60 行可用，至少需要 300 行" in sign_in("head", "zh-hans").get(answer.url).content.decode()


def test_a_discovery_that_breaks_off_is_shown_as_failed_and_not_as_waiting(sign_in, maker, settings, tmp_path):
    asked = services.request_discovery(person=maker, features=["size", "debt_ratio"])
    settings.KEQUN_HOME = tmp_path
    (tmp_path / asked.run.folder).mkdir(parents=True)
    (tmp_path / asked.run.folder / "findings.parquet").write_bytes(b"no parquet")
    work_one(worker="test", job_id=Job.objects.get(key=f"discovery-{asked.pk}").pk)
    assert Discovery.objects.get(pk=asked.pk).state == DiscoveryState.FAILED
    assert "could not be made" in sign_in("head").get(f"/discoveries/{asked.pk}/").content.decode()


def test_a_fact_that_policy_does_not_offer_is_refused_by_name(sign_in):
    page = sign_in("segment").post("/discoveries/", {"features": ["size", "grade"], "seed": "1"})
    assert page.status_code == 422
    assert "policy does not offer grade" in page.content.decode()
    assert not Discovery.objects.filter(features=["size", "grade"]).exists()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_group_is_shown_with_its_figures_and_its_rule(
    sign_in, kept, card, language, django_assert_max_num_queries
):
    client = sign_in("head", language)
    with django_assert_max_num_queries(20):
        page = client.get(f"/discoveries/{kept.pk}/").content.decode()
    for one in card["segments"]:
        assert f"D{one['number']} · " in page
        assert one["rule"].replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;") in page


def test_the_rule_opens_in_the_builder_and_becomes_a_draft_like_any_other(sign_in, kept, card):
    client = sign_in("segment")
    one = next(one for one in card["segments"] if one["stands"])
    page = client.get(f"/segments/define/?discovery={kept.pk}&group={one['number']}")
    assert page.status_code == 200
    assert page.context["fields"]["name"] == f"found_{kept.pk}_{one['number']}"
    assert page.context["text"]
    assert not page.context["problems"]


def test_a_group_that_does_not_stand_opens_nowhere(sign_in, card, maker):
    fallen = {**card, "segments": [{**one, "stands": False} for one in card["segments"]]}
    kept = services.keep_card(person=maker, card=fallen, title="不成立 fallen")
    assert sign_in("segment").get(f"/segments/define/?discovery={kept.pk}&group=1").status_code == 404
    assert "Open the rule in the builder" not in sign_in("segment").get(f"/discoveries/{kept.pk}/").content.decode()


def test_columns_that_are_no_facts_have_no_door_to_the_builder(sign_in, card, maker):
    foreign = {**card, "segments": [{**one, "rule": "their_column > 1"} for one in card["segments"]]}
    kept = services.keep_card(person=maker, card=foreign, title="他处 elsewhere")
    page = sign_in("segment").get(f"/discoveries/{kept.pk}/").content.decode()
    assert "no facts of the dictionary" in page
    assert "?discovery=" not in page


def test_who_may_not_define_may_not_ask(sign_in, db):
    from kequn.apps.accounts.models import User

    with pytest.raises(Misuse):
        services.request_discovery(person=User.objects.get(username="demo-head"), features=["size", "region"])


def test_policy_offers_facts_that_a_run_finds():
    run = latest_published()
    import pyarrow.parquet as pq
    from django.conf import settings

    there = set(pq.read_schema(settings.KEQUN_HOME / run.folder / "findings.parquet").names)
    found = offered(run.as_of)
    assert {*found.features, *found.compare} <= there
