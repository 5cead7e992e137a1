"""What the commands that touch the records share: Django made ready, the person at the terminal, tables of answers."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kequn.apps.accounts.access import Person


def ready(*, as_user: str = "") -> "Person":
    """Make Django ready and answer who is at the terminal."""
    import django
    from django.utils import translation

    from kequn.cli import language

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kequn.config.settings")
    django.setup()
    translation.activate("zh-hans" if language() == "zh" else "en")
    _make_database()
    from kequn.apps.accounts.selectors import person_at_terminal

    return person_at_terminal(as_user)


def _make_database() -> None:
    """An empty database gets its tables at the first command; an older one is left to `kequn migrate`."""
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        is_empty = "django_migrations" not in connection.introspection.table_names(cursor)
    if is_empty:
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


def say(text: str) -> None:
    """A line of progress: on standard error, so that answers can be piped."""
    print(text, file=sys.stderr)


def answer_json(answer: Any) -> None:
    print(json.dumps(answer, ensure_ascii=False, indent=1, default=str))
