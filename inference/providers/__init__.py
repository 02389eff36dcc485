"""Adapters to model servers' wire formats, one module each."""
