"""Faults that a test build plants on purpose, to prove that the kill harness would notice a real one.

Nothing happens here unless KEQUN_TEST_BUILD=1 is set together with the name of the fault.
"""

import os
import time

from django.db import connection

WINDOW_SECONDS = 1.0  # a planted fault holds its window open, so that a few kills find it


def planted(name: str) -> bool:
    """Whether this planted fault is switched on."""
    return os.environ.get("KEQUN_TEST_BUILD") == "1" and os.environ.get("KEQUN_FAULT") == name


def point(name: str) -> None:
    """Die here when the test build was told to."""
    if os.environ.get("KEQUN_TEST_BUILD") == "1" and os.environ.get("KEQUN_DIE_AT") == name:
        os._exit(137)


def commit_too_early(name: str) -> None:
    """The fault of committing in the middle of what should be one transaction."""
    if not planted(name):
        return
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("COMMIT")
            cursor.execute("BEGIN IMMEDIATE")
    else:
        connection.connection.commit()
    time.sleep(WINDOW_SECONDS)
