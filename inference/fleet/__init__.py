"""Fleets of model servers: what ``fleet.yaml`` asks for, whether it fits, and how each kind of host starts it. Imports no Django."""
