"""The database itself refuses to change or delete what was published or decided, whoever asks.

The triggers stand outside the migrations: SQLite loses them when a migration makes a table anew, so they are made
after every migration where they are missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


@dataclass(frozen=True, slots=True)
class Guard:
    """Which rows of a table stay as they are: those of which `holds`, a condition on OLD, is true."""

    name: str
    table: str
    holds: str
    words: str

    def sqlite(self) -> Iterator[str]:
        for act in ("update", "delete"):
            yield f"""CREATE TRIGGER IF NOT EXISTS {self.name}_{act} BEFORE {act} ON {self.table}
                WHEN {self.holds} BEGIN SELECT RAISE(ABORT, '{self.words}'); END"""

    def postgresql(self) -> Iterator[str]:
        yield f"""CREATE OR REPLACE FUNCTION {self.name}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF {self.holds} THEN RAISE EXCEPTION '{self.words}' USING ERRCODE = '23514'; END IF;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
            END $$"""
        yield f"""CREATE OR REPLACE TRIGGER {self.name} BEFORE UPDATE OR DELETE ON {self.table}
            FOR EACH ROW EXECUTE FUNCTION {self.name}_stays()"""


GUARDS = (
    Guard(
        "governance_published", "governance_documentversion", "OLD.state IN ('published', 'retired')",
        "a published version never changes",
    ),
    Guard("governance_decided", "governance_decision", "OLD.id IS NOT NULL", "a decision never changes"),
    Guard("governance_ended", "governance_proposal", "OLD.state <> 'open'", "a proposal that has ended never changes"),
)  # fmt: skip


def make_triggers(**_signal: object) -> None:
    there = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for guard in GUARDS:
            if guard.table in there:
                for statement in guard.sqlite() if connection.vendor == "sqlite" else guard.postgresql():
                    cursor.execute(statement)


def connect(sender: AppConfig) -> None:
    post_migrate.connect(make_triggers, sender=sender, dispatch_uid="kequn.governance.never_changed")
