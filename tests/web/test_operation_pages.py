"""For who watches the installation: health, counts, and one id through answer and log."""

import json
import logging

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_process_says_that_it_lives_without_signing_in():
    assert Client().get("/health/live/").json() == {"alive": True}


def test_an_installation_with_its_structure_is_ready():
    assert Client().get("/health/ready/").json() == {"ready": True}


def test_an_older_structure_is_not_ready_and_says_what_to_do():
    from django.db.migrations.recorder import MigrationRecorder

    row = MigrationRecorder.Migration.objects.filter(app="briefings").latest("id")
    row.delete()
    answer = Client().get("/health/ready/")
    assert answer.status_code == 503
    assert "kequn migrate" in answer.json()["why"]


def test_counts_are_for_this_machine_alone(settings):
    from kequn.apps.assessments.selectors import latest_published

    text = Client().get("/metrics").content.decode()
    assert f"kequn_last_run {latest_published().pk}" in text
    assert 'kequn_jobs{state="waiting"} ' in text
    assert Client().get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    assert Client().get("/metrics", headers={"x-forwarded-for": "10.0.0.7"}).status_code == 404


def test_with_a_token_the_counts_are_for_who_brings_it(settings):
    settings.KEQUN_METRICS_TOKEN = "a-long-token"
    assert Client().get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"authorization": "Bearer a-long-token"}).status_code == 200


def test_the_id_of_a_request_stands_in_the_answer():
    assert Client().get("/health/live/", headers={"x-request-id": "abc-123-def"})["X-Request-ID"] == "abc-123-def"
    made = Client().get("/health/live/", headers={"x-request-id": "bad id\twith spaces"})["X-Request-ID"]
    assert len(made) == 16


def test_a_request_leaves_one_line_without_its_parameters(sign_in, caplog):
    client = sign_in("manager")
    with caplog.at_level(logging.INFO, logger="kequn.request"):
        client.get("/customers/?q=secret-name")
    (line,) = [one for one in caplog.records if one.name == "kequn.request"]
    assert (line.method, line.path, line.status, line.person) == ("GET", "/customers/", 200, "demo-manager")
    assert "secret-name" not in str(line.__dict__)


def test_a_line_as_json_names_its_request():
    from kequn.config.logs import AsJson, WithRequest, request_id

    record = logging.LogRecord("kequn", logging.ERROR, "f.py", 1, "客户 %s", ("甲",), None)
    mark = request_id.set("r-1")
    WithRequest().filter(record)
    request_id.reset(mark)
    said = json.loads(AsJson().format(record))
    assert (said["message"], said["request_id"], said["level"]) == ("客户 甲", "r-1", "ERROR")
