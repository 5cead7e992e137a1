"""Snapshots, runs, findings as spans, and the figures of the last run."""

from kequn.apps.assessments.models.finding import (
    ClassTotals,
    CustomerFigures,
    FindingSpan,
    StagedChange,
    StagedFigures,
)
from kequn.apps.assessments.models.run import Run, RunState, Snapshot

__all__ = [
    "ClassTotals",
    "CustomerFigures",
    "FindingSpan",
    "Run",
    "RunState",
    "Snapshot",
    "StagedChange",
    "StagedFigures",
]
