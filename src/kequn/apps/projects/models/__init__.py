"""What is remembered of a project's model. One file for each noun."""

from kequn.apps.projects.models.actual import ACTUAL_LINES, ProjectActual
from kequn.apps.projects.models.model import RATIOS, ModelResult, ProjectModel
from kequn.apps.projects.models.simulation import ModelSimulation

__all__ = ["ACTUAL_LINES", "RATIOS", "ModelResult", "ModelSimulation", "ProjectActual", "ProjectModel"]
