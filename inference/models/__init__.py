"""Candidates, the endpoints that serve them, and what went through these."""

from inference.models.candidates import Candidate
from inference.models.checks import EndpointCheck, EndpointDraft
from inference.models.endpoints import ModelEndpoint
from inference.models.traffic import Circuit, EndpointUsage, Generation, UserUsage

__all__ = [
    "Candidate",
    "Circuit",
    "EndpointCheck",
    "EndpointDraft",
    "EndpointUsage",
    "Generation",
    "ModelEndpoint",
    "UserUsage",
]
