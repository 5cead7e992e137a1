"""Read-only views of the records for BI tools: names that stay, amounts in units of their currency, the whole book.

Views stand outside the migrations: they are dropped before and made anew after every migration, because SQLite
refuses to change a table that a view reads. Their columns follow the fact dictionary.
"""

from django.apps import AppConfig
from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_migrate, pre_migrate

from kequn.apps.customers.dictionary import handed_in
from kequn.apps.customers.models import Statement
from kequn.apps.deals.models import Facility, Project

PREFIX = "kequn_"
NAMES = ("customers", "statements", "facilities", "projects", "findings", "runs")


def _facts(model: type[Model], grain: str, alias: str) -> str:
    """The dictionary columns that the table has; amounts from fen."""
    have = {field.name for field in model._meta.get_fields()}  # noqa: SLF001 - Django's documented door to the columns of a model
    columns = []
    for one in handed_in(grain):
        if one.name in have and not one.outcome:
            value = f'{alias}."{one.name}"'
            columns.append(f'{value} / 100.0 AS "{one.name}"' if one.is_money else value)
    return ", ".join(columns)


def definitions() -> dict[str, str]:
    """The query of each view, by its name."""
    who = "customers_customer c"
    statement_keys = "s.period_end, s.months, s.flows, s.scope, s.standard, s.version, s.currency"
    return {
        "customers": f"""SELECT c.code AS customer_id, c.name, c.short_name, c.uscc, c.country, c.province,
            c.industry_code, g.code AS group_id, g.name AS group_name, u.username AS manager, t.code AS team,
            b.code AS branch, f.score, f.pd, f.exposure_gross / 100.0 AS exposure_gross,
            f.exposure_net / 100.0 AS exposure_net, f.signals, f.run_id AS run
            FROM {who} LEFT JOIN customers_group g ON g.id = c.group_id
            LEFT JOIN accounts_user u ON u.id = c.owner_id LEFT JOIN accounts_team t ON t.id = c.team_id
            LEFT JOIN accounts_branch b ON b.id = c.branch_id
            LEFT JOIN assessments_customerfigures f ON f.customer_id = c.id""",
        "statements": f"""SELECT c.code AS customer_id, {statement_keys}, {_facts(Statement, "statement", "s")}
            FROM customers_statement s JOIN {who} ON c.id = s.customer_id""",
        "facilities": f"""SELECT c.code AS customer_id, s.facility_id, s.currency, {_facts(Facility, "facility", "s")}
            FROM deals_facility s JOIN {who} ON c.id = s.customer_id""",
        "projects": f"""SELECT c.code AS customer_id, p.role, s.project_id, s.currency,
            {_facts(Project, "project", "s")}
            FROM deals_projectparty p JOIN {who} ON c.id = p.customer_id
            JOIN deals_project s ON s.id = p.project_id""",
        "findings": f"""SELECT c.code AS customer_id, s.kind, s.key, s.value, s.valid_from, s.valid_to, s.cause,
            s.opened_by_id AS run FROM assessments_findingspan s JOIN {who} ON c.id = s.customer_id
            WHERE s.valid_to IS NULL OR s.valid_to <> s.valid_from""",
        "runs": """SELECT r.id AS run, r.as_of, r.pack AS policy, r.policy_digest, r.program_version AS program,
            n.digest AS snapshot, r.published_at FROM assessments_run r
            LEFT JOIN assessments_snapshot n ON n.id = r.snapshot_id WHERE r.state = 'published'""",
    }


def drop_views(**_signal: object) -> None:
    with connection.cursor() as cursor:
        for name in NAMES:
            cursor.execute(f"DROP VIEW IF EXISTS {PREFIX}{name}")


def make_views(**_signal: object) -> None:
    drop_views()
    with connection.cursor() as cursor:
        for name, query in definitions().items():
            cursor.execute(f"CREATE VIEW {PREFIX}{name} AS {query}")


def connect(sender: AppConfig) -> None:
    """Before any table changes the views go; after the last change they are made again."""
    pre_migrate.connect(drop_views, sender=sender, dispatch_uid="kequn.bi_views.drop")
    post_migrate.connect(make_views, sender=sender, dispatch_uid="kequn.bi_views.make")
