"""What is remembered of projects and facilities. One file for each noun."""

from kequn.apps.deals.models.facility import AccountMonth, Facility, FacilityOutcome
from kequn.apps.deals.models.project import Project, ProjectParty

__all__ = ["AccountMonth", "Facility", "FacilityOutcome", "Project", "ProjectParty"]
