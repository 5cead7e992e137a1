"""What all tests share: a home of their own, so that no test touches anybody's data."""

import tempfile
from pathlib import Path

import pytest
from django.conf import settings


def pytest_configure() -> None:
    settings.KEQUN_HOME = Path(tempfile.mkdtemp(prefix="kequn-test-home-"))


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Tests write records beside the audit chain and roll them back: what one kept must not reach the next."""
    from kequn.apps.customers.keeping import forget

    forget()
