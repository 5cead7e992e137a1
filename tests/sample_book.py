"""A small sample book, imported and run at two dates, that lives as long as one folder of tests and then is gone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import transaction

CUSTOMERS = 60


@contextmanager
def sample_book(blocker) -> Iterator[None]:
    """Everything is written inside a transaction that is rolled back, and below a home of its own."""
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.cli.demonstration import prepare

    home = settings.KEQUN_HOME
    with blocker.unblock(), tempfile.TemporaryDirectory(prefix="kequn-book-") as folder, transaction.atomic():
        settings.KEQUN_HOME = Path(folder)
        for _line in prepare(LocalAdministrator(), CUSTOMERS):
            pass
        yield
        transaction.set_rollback(True)
        settings.KEQUN_HOME = home
