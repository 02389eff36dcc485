"""A model server that follows a script: for tests and measurements, at the network's edge.

It speaks the wire formats of OpenAI and of Anthropic, answers ``/health``, ``/v1/models`` and vLLM's ``/metrics``, and can fail in every way that we
know of. By hand: ``python -m inference.fakes --port 9000 --fault trickle``.
"""

from inference.fakes.faults import Fault
from inference.fakes.server import FakeModelServer, fake_model_server

__all__ = ["FakeModelServer", "Fault", "fake_model_server"]
