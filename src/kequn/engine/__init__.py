"""The whole book at once: the same rules as set-wise SQL over an analytics base. No Django."""

from kequn.engine.base import build_base
from kequn.engine.changes import migration
from kequn.engine.frames import evaluate_frame
from kequn.engine.records import record_from_rows
from kequn.engine.refreshing import refresh_base
from kequn.engine.run import run

__all__ = ["build_base", "evaluate_frame", "migration", "record_from_rows", "refresh_base", "run"]
