"""The child that is killed: it brings in one state of the book, runs it, brings in the other, runs it, without end."""

import itertools
import sys
from datetime import date
from pathlib import Path

AS_OF = date(2026, 9, 30)
STATES = ("a", "b")


def ready() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kequn.config.settings")
    django.setup()


def bring_in(book: Path, state: str) -> None:
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.ingest.services import Wish, import_path

    import_path(path=book / state, person=LocalAdministrator(), wish=Wish(unit="元"))


def judge() -> None:
    """Ask for a run and do whatever is waiting: also the run of a worker that was killed before."""
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.assessments.services import request_run
    from kequn.apps.jobs.services import work_one

    request_run(person=LocalAdministrator(), as_of=AS_OF)
    while work_one(worker="child") is not None:
        pass


def main(book: Path, first: str) -> None:
    ready()
    print("ready", flush=True)
    order = STATES if first == "a" else STATES[::-1]
    for state in itertools.cycle(order):
        bring_in(book, state)
        judge()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
