"""What all tests share: a home of their own, so that no test touches anybody's data."""

import tempfile
from pathlib import Path

from django.conf import settings


def pytest_configure() -> None:
    settings.KEQUN_HOME = Path(tempfile.mkdtemp(prefix="kequn-test-home-"))
