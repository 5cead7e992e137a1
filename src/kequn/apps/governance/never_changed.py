"""The database itself refuses to change or delete what was published, whoever asks.

The triggers stand outside the migrations: SQLite loses them when a migration makes a table anew, so they are made
after every migration where they are missing.
"""

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate

TABLE = "governance_documentversion"
WORDS = "a published version never changes"

SQLITE = [
    f"""CREATE TRIGGER IF NOT EXISTS governance_published_{act} BEFORE {act} ON {TABLE}
        WHEN OLD.state IN ('published', 'retired') BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"""
    for act in ("update", "delete")
]
POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION governance_published_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state IN ('published', 'retired') THEN RAISE EXCEPTION '{WORDS}' USING ERRCODE = '23514'; END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END $$""",
    f"""CREATE OR REPLACE TRIGGER governance_published BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION governance_published_stays()""",
]


def make_triggers(**_signal: object) -> None:
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        for statement in SQLITE if connection.vendor == "sqlite" else POSTGRESQL:
            cursor.execute(statement)


def connect(sender: AppConfig) -> None:
    post_migrate.connect(make_triggers, sender=sender, dispatch_uid="kequn.governance.never_changed")
