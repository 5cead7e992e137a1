"""What every page needs and takes seconds to read, read before the first page is asked for."""

import logging

from django.db import DatabaseError, close_old_connections
from django.urls import get_resolver
from django.utils import timezone

from kequn.apps.assessments.selectors import latest_published
from kequn.policy import build_plan
from kequn.policy.words import words_of
from kequn.web import labels

log = logging.getLogger(__name__)


def warm() -> None:
    """Read addresses, policy, plan and words. Without a database the pages say so themselves when asked for."""
    _ = get_resolver().url_patterns
    try:
        pack, run = labels.pack(), latest_published()
        labels.names()
        for day in {timezone.localdate(), run.as_of if run is not None else timezone.localdate()}:
            build_plan(pack, day)
        words_of(pack)
    except DatabaseError:
        log.warning("the database does not answer yet")
    finally:
        close_old_connections()
