"""The examples of docs/bi-and-notebooks.md run, and its table names every column of the views."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from django.db import connection

from kequn.apps.assessments.bi_views import NAMES, PREFIX

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "bi-and-notebooks.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("query", blocks("sql"))
def test_each_query_answers_with_rows(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchall()


@pytest.mark.parametrize("example", blocks("python"))
def test_each_example_prints_something(example):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(example, {})
    assert said.getvalue().strip()


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_a_view_is_named(name):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{PREFIX}{name}`"))
    facts = (DOCS / "models" / "facts.md").read_text("utf-8") if "facts.md" in row else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {PREFIX}{name} LIMIT 0")
        columns = [one[0] for one in cursor.description]
    assert [one for one in columns if f"`{one}`" not in row and f"| `{one}` |" not in facts] == []
