"""The door for notebooks: frames of the published run, with its identity, within a person's scope."""

import json

import pytest

pytestmark = pytest.mark.django_db


def test_every_form_carries_the_identity_of_the_run():
    import kequn
    from kequn.apps.assessments.selectors import latest_published

    frame = kequn.book().findings(["grade", "pd"])
    run = latest_published()
    assert frame.identity.run == run.pk
    assert json.loads(frame.to_arrow().schema.metadata[b"kequn.run"])["policy_digest"] == run.policy_digest
    assert frame.to_pandas().attrs["kequn"]["as_of"] == run.as_of.isoformat()
    assert set(frame.to_polars()["kequn_run"]) == {run.pk}
    assert frame.to_arrow().column_names == ["customer_id", "grade", "pd", "kequn_run"]


def test_a_second_home_in_one_process_is_refused_and_not_mistaken_for_the_first(tmp_path, monkeypatch):
    import kequn
    from kequn.domain.errors import Misuse

    monkeypatch.setenv("KEQUN_HOME", "")
    with pytest.raises(Misuse):
        kequn.book(tmp_path)


def test_a_person_sees_the_rows_of_their_scope_alone():
    import kequn
    from kequn.apps.customers.models import Customer

    mine = set(Customer.objects.filter(owner__username="demo-manager").values_list("code", flat=True))
    book = kequn.book(as_user="demo-manager")
    assert set(book.customers().to_pandas()["customer_id"]) == mine
    assert set(book.statements().to_pandas()["customer_id"]) <= mine
    assert set(book.changes().to_pandas()["customer_id"]) <= mine
    assert len(kequn.book().customers()) == Customer.objects.count()


def test_a_wrong_column_is_named():
    import kequn
    from kequn.domain.errors import Misuse

    with pytest.raises(Misuse, match="gradee"):
        kequn.book().findings(["gradee"])


def test_a_run_that_was_not_published_is_refused():
    import kequn
    from kequn.domain.errors import Misuse

    with pytest.raises(Misuse):
        kequn.book(run=999_999)
