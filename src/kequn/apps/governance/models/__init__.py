"""Proposals with the decisions on them, and the versions of policy documents."""

from kequn.apps.governance.models.document import DocumentVersion, VersionState
from kequn.apps.governance.models.proposal import Decision, Proposal, ProposalState

__all__ = ["Decision", "DocumentVersion", "Proposal", "ProposalState", "VersionState"]
