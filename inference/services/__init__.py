"""Writes of candidates and endpoints."""

from inference.services.endpoints import add_endpoint, register_candidate, rotate_key, set_endpoint_status
from inference.services.probes import probe_endpoint, probe_endpoints

__all__ = [
    "add_endpoint",
    "probe_endpoint",
    "probe_endpoints",
    "register_candidate",
    "rotate_key",
    "set_endpoint_status",
]
