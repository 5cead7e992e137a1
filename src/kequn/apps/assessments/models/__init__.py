"""Snapshots, runs, findings as spans, the figures of the last run, pins."""

from kequn.apps.assessments.models.finding import (
    ClassTotals,
    CustomerFigures,
    FindingSpan,
    StagedChange,
    StagedFigures,
)
from kequn.apps.assessments.models.pin import Pin, PinState
from kequn.apps.assessments.models.run import Run, RunState, Snapshot

__all__ = [
    "ClassTotals",
    "CustomerFigures",
    "FindingSpan",
    "Pin",
    "PinState",
    "Run",
    "RunState",
    "Snapshot",
    "StagedChange",
    "StagedFigures",
]
