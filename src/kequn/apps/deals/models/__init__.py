"""What is remembered of projects, facilities and covenants. One file for each noun."""

from kequn.apps.deals.models.covenant import Covenant
from kequn.apps.deals.models.facility import AccountMonth, Facility, FacilityOutcome
from kequn.apps.deals.models.project import Project, ProjectParty

__all__ = ["AccountMonth", "Covenant", "Facility", "FacilityOutcome", "Project", "ProjectParty"]
